use proptest::prelude::*;

use super::*;

#[test]
fn p8_a_card_number_beside_other_digits_is_found() {
    for card in [
        "41111111-1111-4111-8111-111111111111-4111-1111-1111-1111",
        "order-41111111-1111-4111-8111-111111111143-4111-1111-1111-1111",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 4111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 00 4111 1111 1111 1111",
        "+49 151 12345678 4111 1111 1111 1111",
        "1.5 4111111111111111",
        "a4111111111111111b",
        "card+378282246310005",
    ] {
        assert!(is_in(card), "{card}");
    }
}

#[test]
fn a_number_that_is_not_whole_is_no_card_number() {
    for number in [
        "2.4670000000000001E-2",
        "-0.5309136012499991",
        "4111111111111111.5",
        "1e400",
        "-0",
        "4e15",
    ] {
        assert!(!is_in_number(number), "{number}");
    }
    for number in [
        "4111111111111111",
        "-4111111111111111",
        "4.111111111111111e15",
        "4111111111111111.0",
        "3782822463121E02",
    ] {
        assert!(is_in_number(number), "{number}");
    }
}

proptest! {
    #[test]
    fn any_text_has_an_answer(text in any::<String>()) {
        is_in(&text);
        is_in_number(&text);
    }

    #[test]
    fn text_of_digits_and_marks_has_an_answer(text in "[0-9A-Fa-f .=D%&;#x:+-]{0,80}") {
        is_in(&text);
        is_in_number(&text);
    }
}
