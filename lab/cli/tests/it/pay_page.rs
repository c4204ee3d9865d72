//! The pay page in a browser, in front of a whole lab, with a network between them that loses, delays and forges
//! answers. All cases share one lab, which takes longer to start than any of them.

mod earlier;
mod foreign;
mod money;
mod page;
mod people;
mod proxy;

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use self::page::Page;
use crate::{clients::Clients, test_lab::TestLab};

/// Runs each case on a fresh page, and names those that fail.
macro_rules! run {
    ($page:expr, $($theme:ident::$case:ident),+ $(,)?) => {{
        let mut failed: Vec<&str> = Vec::new();
        $(
            $page.start_over().await;
            if AssertUnwindSafe($theme::$case($page)).catch_unwind().await.is_err() {
                failed.push(stringify!($case));
            }
        )+
        assert!(failed.is_empty(), "{failed:#?} failed, for the reasons above");
    }};
}

#[tokio::test]
async fn p4_the_pay_page_never_misleads() {
    let page = &Page::of(TestLab::up()).await;
    run!(
        page,
        money::p4_a_double_click_and_a_reload_pay_once,
        money::p4_offline_the_payment_waits,
        money::p4_a_lost_answer_is_asked_for_before_anything_is_sent_again,
        money::p4_a_refusal_after_a_lost_try_never_says_not_made,
        money::p4_under_an_id_that_is_not_new_something_may_have_been_sent,
        money::p4_too_many_requests_may_be_the_answer_to_a_repeat,
        earlier::p4_a_form_brought_back_asks_for_what_another_one_lost,
        earlier::p4_a_receipt_brought_back_forgets_no_lost_payment,
        earlier::p4_what_somebody_else_paid_under_the_id_is_not_this_payment,
        earlier::p4_after_acceptance_a_row_with_another_name_is_not_this_payment,
        earlier::p4_a_change_after_a_lost_answer_shows_the_first_try,
        earlier::p4_a_cancelled_try_is_asked_for_when_the_tab_opens_the_form,
        earlier::p4_a_row_of_another_name_is_not_this_payment,
        earlier::p4_a_state_of_odd_types_says_nothing,
        money::p4_a_lost_request_is_asked_for_and_then_sent_again,
        money::p4_an_answer_without_this_id_and_a_status_is_no_receipt,
        money::p4_an_answer_about_another_payment_says_nothing,
        money::p4_a_payment_that_is_followed_never_stands_for_the_next,
        money::p4_a_payment_found_at_opening_is_never_sent_without_a_press,
        money::p4_a_payment_found_at_opening_is_recorded_when_the_server_says_so,
        money::p4_after_minutes_of_not_knowing_the_person_is_asked,
        money::p4_a_cancelled_payment_and_the_next_try_are_one,
        money::p4_the_loser_of_an_id_reads_that_it_was_not_made,
        money::p4_an_accepted_payment_that_lost_its_id_reads_so,
        money::p4_a_refusal_after_a_lost_answer_does_not_end_the_payment,
        money::p4_too_many_requests_is_sent_again_under_the_same_id,
        money::p4_pauses_and_limits_are_those_of_the_table,
        money::p4_no_order_of_answers_makes_the_page_say_what_is_not_so,
        money::p4_it_pays_in_a_browser_without_abort_signal_timeout,
        money::a_receipt_keeps_no_name_and_expires,
        earlier::a_receipt_of_its_own_ends_what_the_tab_has_kept,
        money::p5_following_says_when_it_stops_and_goes_on_when_pressed,
        money::every_error_has_words_and_keeps_what_was_typed,
        people::a_mistake_is_named_beside_its_field_and_nothing_is_sent,
        people::the_pages_rules_are_the_servers,
        people::the_button_says_what_is_paid_before_it_is_pressed,
        people::the_hint_follows_the_currency_also_after_a_reload,
        people::the_currency_is_first_guessed_from_the_language,
        people::p3_marks_of_direction_change_nothing_around_a_name,
        people::alerts_are_read_out_once_and_the_focus_stays,
        people::the_focus_goes_on_when_its_button_is_gone,
        people::without_a_script_the_plain_form_pays,
        foreign::p10_a_form_of_another_site_pays_nothing,
        people::the_keyboard_alone_is_enough,
        people::a_receipt_has_its_date_and_breaks_an_amount_between_groups,
        people::no_view_of_the_page_has_an_axe_violation_or_overflows,
    );
}

/// Only what the page may do is another's business there, so a case of each way to pay is enough.
#[tokio::test]
async fn p10_where_callers_are_known_the_pay_page_is_one() {
    let clients = Clients::new();
    clients.add("shop", &[]);
    clients.run(&["add", "page"]);
    let page = &Page::of(clients.lab()).await;
    run!(
        page,
        money::p4_a_double_click_and_a_reload_pay_once,
        money::p4_a_lost_answer_is_asked_for_before_anything_is_sent_again,
        people::without_a_script_the_plain_form_pays,
        foreign::p10_a_form_of_another_site_pays_nothing,
    );
    let clients = "SELECT DISTINCT client FROM payments.transactions";
    assert_eq!(page.lab.select(clients).await, ["page"]);
}
