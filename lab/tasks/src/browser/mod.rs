//! Headless Chromium, used as a person would: for the tests of pages, and for screenshots.
//!
//! [`Browser::open`] starts a browser with a profile of its own. It ends when dropped, whatever happens. Its elements
//! are those of `thirtyfour`, which speaks WebDriver; what WebDriver cannot do goes through Chromium's DevTools
//! protocol.

pub mod axe;
mod driver;
mod profile;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use lab_runner::install;
use serde_json::{Value, json};
use thirtyfour::{
    By, ChromeCapabilities, ChromiumLikeCapabilities as _, TypingData, WebDriver,
    common::log::LoggingPrefsLogLevel,
};
pub use thirtyfour::{Key, WebElement};
use tokio::time::sleep;

use self::{driver::Driver, profile::Profile};

/// Longest wait for a page to show something.
pub const PAGE_TIMEOUT: Duration = Duration::from_secs(20);

const POLL: Duration = Duration::from_millis(50);

/// Timeout of one command. Longer than WebDriver's own limit for loading a page.
const REQUEST: Duration = Duration::from_mins(1);

/// As root Chromium has no sandbox, and only the page under test may use the network.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    Light,
    Dark,
}

/// Size, scale and colours of the view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Picture pixels per CSS pixel.
    pub scale: f64,
    pub scheme: Scheme,
}

impl View {
    pub const DESKTOP: Self = Self {
        width: 1440,
        height: 900,
        scale: 1.0,
        scheme: Scheme::Light,
    };
    pub const PHONE: Self = Self {
        width: 360,
        height: 740,
        ..Self::DESKTOP
    };

    #[must_use]
    pub fn dark(self) -> Self {
        let scheme = Scheme::Dark;
        Self { scheme, ..self }
    }
}

/// One browser with one tab.
#[derive(Debug)]
pub struct Browser {
    tab: WebDriver,
    // Declared first, so that the browser ends before its files are removed.
    _driver: Driver,
    _profile: Profile,
}

impl Browser {
    /// Starts Chromium; installs it if it is missing.
    pub async fn open(view: View) -> Result<Self> {
        let programs = install::browser()?;
        let profile = Profile::new().context("cannot create a profile for the browser")?;
        let driver = Driver::start(&programs.chromedriver, profile.path()).await?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(REQUEST)
            .build()
            .context("cannot connect to chromedriver")?;
        let mut chromium = ChromeCapabilities::new();
        chromium.set_binary(&programs.chromium.to_string_lossy())?;
        chromium.set_browser_log_level(LoggingPrefsLogLevel::Warning)?;
        for argument in ARGUMENTS {
            chromium.add_arg(argument)?;
        }
        chromium.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        let tab = WebDriver::builder(driver.url(), chromium)
            .client(client)
            .connect()
            .await?;
        // The process is ended with its children, so the session needs no closing.
        let _ = tab.clone().leak();
        let browser = Self {
            tab,
            _driver: driver,
            _profile: profile,
        };
        browser.show(view).await?;
        Ok(browser)
    }

    /// Changes size and colours; the open page adapts.
    pub async fn show(&self, view: View) -> Result<()> {
        let scheme = match view.scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let size = json!({
            "width": view.width,
            "height": view.height,
            "deviceScaleFactor": view.scale,
            "mobile": false,
        });
        let media = json!({
            "features": [
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ],
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await?;
        self.devtools("Emulation.setEmulatedMedia", media).await?;
        // Phones have none, and they differ from desktop to desktop.
        self.devtools("Emulation.setScrollbarsHidden", json!({ "hidden": true }))
            .await?;
        Ok(())
    }

    /// Opens a page, and returns once it is loaded.
    pub async fn goto(&self, url: &str) -> Result<()> {
        Ok(self.tab.goto(url).await?)
    }

    /// Waits for the first element that matches a CSS selector.
    pub async fn find(&self, css: &str) -> Result<WebElement> {
        let deadline = Instant::now() + PAGE_TIMEOUT;
        loop {
            if let Ok(element) = self.tab.find(By::Css(css)).await {
                return Ok(element);
            }
            if Instant::now() >= deadline {
                return self.never(css).await;
            }
            sleep(POLL).await;
        }
    }

    pub async fn click(&self, css: &str) -> Result<()> {
        Ok(self.find(css).await?.click().await?)
    }

    /// Types into an empty field.
    pub async fn type_into(&self, css: &str, text: &str) -> Result<()> {
        Ok(self.find(css).await?.send_keys(text).await?)
    }

    /// Types into the focused element: text, or keys such as [`Key::Tab`].
    pub async fn press(&self, keys: impl Into<TypingData>) -> Result<()> {
        let typed = self.tab.action_chain().send_keys(keys);
        Ok(typed.perform().await?)
    }

    /// Moves the pointer onto an element.
    pub async fn hover(&self, css: &str) -> Result<()> {
        let element = self.find(css).await?;
        let pointer = self.tab.action_chain().move_to_element_center(&element);
        Ok(pointer.perform().await?)
    }

    /// Presses the mouse button on an element, until [`Self::let_go`].
    pub async fn hold(&self, css: &str) -> Result<()> {
        let element = self.find(css).await?;
        let pointer = self.tab.action_chain().click_and_hold_element(&element);
        Ok(pointer.perform().await?)
    }

    /// Releases the mouse button where the pointer is.
    pub async fn let_go(&self) -> Result<()> {
        Ok(self.tab.action_chain().release().perform().await?)
    }

    /// Returns the visible text of an element.
    pub async fn text(&self, css: &str) -> Result<String> {
        Ok(self.find(css).await?.text().await?)
    }

    /// Waits until a JavaScript expression is true in the page.
    pub async fn until(&self, expression: &str) -> Result<()> {
        let script = format!("return Boolean({expression})");
        let deadline = Instant::now() + PAGE_TIMEOUT;
        loop {
            // The expression fails while an element is missing.
            if matches!(self.run(&script, vec![]).await, Ok(Value::Bool(true))) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return self.never(expression).await;
            }
            sleep(POLL).await;
        }
    }

    /// Waits until the page shows a text.
    pub async fn until_shown(&self, text: &str) -> Result<()> {
        let text = Value::from(text);
        self.until(&format!("document.body.innerText.includes({text})"))
            .await
    }

    /// Runs a function body in the page, and returns its result.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        let returned = self.tab.execute(script, arguments).await?;
        Ok(returned.json().clone())
    }

    /// Returns how far the page is wider than the view, in CSS pixels: 0 if nothing overflows.
    pub async fn overflow(&self) -> Result<i64> {
        let script =
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        Ok(self.run(script, vec![]).await?.as_i64().unwrap_or(i64::MAX))
    }

    /// Returns warnings and errors since the last call: of scripts, and of blocked or failed requests.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let entries = self.tab.browser_log().await?;
        Ok(entries
            .into_iter()
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect())
    }

    /// Switches the network off or on.
    pub async fn set_offline(&self, offline: bool) -> Result<()> {
        let conditions = json!({
            "offline": offline,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": -1,
        });
        // Without this only `navigator.onLine` would change.
        self.devtools("Network.enable", json!({})).await?;
        self.devtools("Network.emulateNetworkConditions", conditions)
            .await?;
        Ok(())
    }

    /// Sets whether scripts run, for pages opened from now on.
    pub async fn set_scripts(&self, run: bool) -> Result<()> {
        let setting = json!({ "value": !run });
        self.devtools("Emulation.setScriptExecutionDisabled", setting)
            .await?;
        Ok(())
    }

    /// Sets the language sent to pages, such as `de-DE`, for pages opened from now on.
    pub async fn set_language(&self, language: &str) -> Result<()> {
        let agent = self.run("return navigator.userAgent", vec![]).await?;
        let setting = json!({ "userAgent": agent, "acceptLanguage": language });
        self.devtools("Emulation.setUserAgentOverride", setting)
            .await?;
        Ok(())
    }

    /// Returns all text that a screen reader can reach.
    pub async fn readable(&self) -> Result<String> {
        let tree = self
            .devtools("Accessibility.getFullAXTree", json!({}))
            .await?;
        let nodes = tree["nodes"].as_array();
        let texts = nodes.into_iter().flatten().filter_map(|node| {
            let is_text = node["role"]["value"] == "StaticText" && node["ignored"] == false;
            is_text.then(|| node["name"]["value"].as_str())?
        });
        Ok(texts.collect::<Vec<_>>().join("\n"))
    }

    /// Returns a PNG of the view.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        Ok(self.tab.screenshot_as_png().await?)
    }

    async fn devtools(&self, method: &'static str, parameters: Value) -> Result<Value> {
        Ok(self.tab.cdp().send_raw(method, parameters).await?)
    }

    async fn never<T>(&self, wanted: &str) -> Result<T> {
        let shown = self.run("return document.body.innerText", vec![]).await?;
        let shown = shown.as_str().unwrap_or_default();
        let (seconds, url) = (PAGE_TIMEOUT.as_secs(), self.tab.current_url().await?);
        bail!("`{wanted}` did not become true within {seconds} s on {url}, which shows\n{shown}")
    }
}
