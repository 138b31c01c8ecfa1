"""The hosted pages in a real browser, on the screen of a small phone: headless Chromium
opens the links, fills in the forms and presses the buttons, and the handler over memory stores does what they say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys as Key
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.ui import Select, WebDriverWait

from betimes.core import links
from betimes.core.borrower import PointState
from betimes.core.hold import Kind
from betimes.core.links import Action
from betimes.core.preferences import Preferences
from tests.pages.browser import WIDTH, needed, phone
from tests.pages.deployment import KEYS, Deployment, deployment, served

# The least a finger can hit, WCAG 2.2 success criterion 2.5.8 asks for 24; the contrast of text, 1.4.3.
FINGER, CONTRAST, LARGE_CONTRAST = 44, 4.5, 3.0


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser for all tests: it keeps nothing between pages."""
    needed()
    with phone(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


@pytest.fixture
def made() -> Deployment:
    """A deployment of its own for each test."""
    return deployment()


@pytest.fixture
def base(made: Deployment) -> Iterator[str]:
    """The address under which the deployment's pages are served."""
    with served(made) as address:
        yield address


def opened(browser: Chrome, base: str, token: str, language: str = "en") -> None:
    """Open a link."""
    browser.get(f"{base}/l/{token}?lang={language}")


def heading(browser: Chrome) -> str:
    """Return the heading that is shown."""
    return browser.find_element(By.TAG_NAME, "h1").text


def said(browser: Chrome) -> str:
    """Return what the page says became of a press."""
    return browser.find_element(By.CLASS_NAME, "said").text


def logged(browser: Chrome, log: str) -> list[dict[str, Any]]:
    """Return what a log of the browser holds since it was last asked for."""
    return list(browser.get_log(log))  # type: ignore[no-untyped-call]  # Selenium has no types there.


@contextmanager
def left_behind(browser: Chrome) -> Iterator[None]:
    """Wait until the page that is shown now has made way for the next one.

    While it does, the driver may also say that it knows no such page: then it is asked again.
    """
    page = browser.find_element(By.TAG_NAME, "html")
    yield
    WebDriverWait(browser, 30, ignored_exceptions=[WebDriverException]).until(staleness_of(page))


def press(browser: Chrome, value: str = "act") -> None:
    """Press a button as a finger does, where it is shown, and wait for the page behind it."""
    with left_behind(browser):
        browser.find_element(By.CSS_SELECTOR, f"button[value={value}]").click()


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (Action.ALREADY_PAID, Kind.PAID_CLAIM),
        (Action.NEED_HELP, Kind.HARDSHIP),
        (Action.DISPUTE, Kind.DISPUTE),
    ],
)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_one_press_sets_a_hold(
    browser: Chrome, made: Deployment, base: str, action: Action, kind: Kind, language: str
) -> None:
    """Opening does nothing; the button does, and the page after it says what happens next."""
    opened(browser, base, made.token(action), language)
    assert not made.pages.holds
    press(browser)

    [hold] = made.pages.holds.values()
    assert hold.kind is kind
    assert said(browser)
    assert browser.find_element(By.TAG_NAME, "h2").text in ("What happens next", "接下来")
    browser.refresh()
    assert len(made.pages.holds) == 1


def test_a_day_is_promised(browser: Chrome, made: Deployment, base: str) -> None:
    """The day is chosen from the list and stands on the page after it."""
    opened(browser, base, made.token(Action.PROMISE))
    Select(browser.find_element(By.ID, "on")).select_by_visible_text("16 March 2026")
    press(browser)

    [hold] = made.pages.holds.values()
    assert hold.promise_on == date(2026, 3, 16)
    assert "16 March 2026" in browser.find_element(By.TAG_NAME, "main").text


def test_the_wrong_person_is_left_alone(browser: Chrome, made: Deployment, base: str) -> None:
    """One press, and the address is used no more."""
    opened(browser, base, made.token(Action.WRONG_PERSON))
    press(browser)

    assert said(browser) == "Thank you, and sorry for disturbing you."
    head = made.pages.head
    assert head is not None
    assert head.contact_points[0].state is PointState.WRONG_PERSON


@pytest.mark.parametrize("action", [Action.STOP_CHANNEL, Action.UNSUBSCRIBE])
def test_reminders_of_a_channel_stop(
    browser: Chrome, made: Deployment, base: str, action: Action
) -> None:
    """A person who opens the unsubscribe link presses a button as well; only mail programs do without."""
    opened(browser, base, made.token(action))
    assert not made.pages.consents
    press(browser)

    assert len(made.pages.consents) == 1
    assert said(browser)


def test_wishes_are_told_with_the_keyboard_and_found_again(
    browser: Chrome, made: Deployment, base: str
) -> None:
    """Each field is reached by its label and by Tab; what was saved is shown when the page opens again."""
    token = made.token(Action.PREFERENCES)
    opened(browser, base, token)
    Select(browser.find_element(By.ID, "first")).select_by_visible_text("text message")
    Select(browser.find_element(By.ID, "second")).select_by_visible_text("e-mail")
    Select(browser.find_element(By.ID, "quiet_from")).select_by_value("20:00")
    Select(browser.find_element(By.ID, "quiet_until")).select_by_value("10:00")
    Select(browser.find_element(By.ID, "language")).select_by_visible_text("English")
    browser.find_element(By.CSS_SELECTOR, "label.tick[class]").click()
    browser.find_element(By.ID, "digest").send_keys(Key.SPACE, Key.TAB)
    with left_behind(browser):
        browser.switch_to.active_element.send_keys(Key.ENTER)

    assert said(browser) == "Saved."
    head = made.pages.head
    assert head is not None
    assert head.preferences == Preferences(
        ("sms", "email"), time(20), time(10), "en", one_reminder=True, digest=True
    )
    browser.get(f"{base}/l/{token}")
    assert heading(browser) == "Message settings"
    first = Select(browser.find_element(By.ID, "first")).first_selected_option
    assert first.text == "text message"
    assert browser.find_element(By.ID, "one_reminder").is_selected()


def test_wishes_that_cannot_be_kept_come_back_with_the_reason(
    browser: Chrome, made: Deployment, base: str
) -> None:
    """One end of quiet hours alone: the page says so, keeps what was typed, and saves nothing."""
    opened(browser, base, made.token(Action.PREFERENCES))
    Select(browser.find_element(By.ID, "quiet_from")).select_by_value("20:00")
    press(browser)

    assert "Quiet hours need a beginning and an end" in said(browser)
    chosen = Select(browser.find_element(By.ID, "quiet_from")).first_selected_option
    assert chosen.text == "20:00"
    head = made.pages.head
    assert head is not None
    assert head.preferences == Preferences()


def test_paying_is_a_way_to_the_lender_and_no_form(
    browser: Chrome, made: Deployment, base: str
) -> None:
    """The way leads to the lender's own address; there is no field and no button that takes money."""
    opened(browser, base, made.token(Action.PAY))
    way = browser.find_element(By.CSS_SELECTOR, "main a.button")

    assert way.get_attribute("href") == "https://pay.lender.example/start"
    assert not browser.find_elements(By.CSS_SELECTOR, "main form")


def test_a_code_is_checked(browser: Chrome, made: Deployment, base: str) -> None:
    """The part below opens at a press; the right code is confirmed, a wrong one warned of."""
    code = links.code(KEYS, made.contact.tenant, made.contact.id)
    for typed, expected in ((code, "The code is right"), ("0000-0000", "The code does not fit")):
        opened(browser, base, made.token(Action.DISPUTE))
        browser.find_element(By.TAG_NAME, "summary").click()
        browser.find_element(By.ID, "code").send_keys(typed)
        press(browser, "check")
        assert expected in said(browser)


def test_a_forged_link_gets_a_friendly_page(browser: Chrome, made: Deployment, base: str) -> None:
    """No error of the browser, no stack: a sentence, in the language asked for."""
    opened(browser, base, made.token(Action.DISPUTE)[:-8] + "AAAAAAAA")
    assert heading(browser) == "This link does not work"


def test_the_language_is_switched_by_a_press(browser: Chrome, made: Deployment, base: str) -> None:
    """A borrower with a Chinese locale gets Chinese, with English a press away, and back; `lang` says which."""
    browser.get(f"{base}/l/{made.token(Action.DISPUTE)}")
    html = browser.find_element(By.TAG_NAME, "html")
    assert (html.get_attribute("lang"), heading(browser)) == ("zh-CN", "我有异议")

    with left_behind(browser):
        browser.find_element(By.LINK_TEXT, "English").click()
    html = browser.find_element(By.TAG_NAME, "html")
    assert (html.get_attribute("lang"), heading(browser)) == ("en", "I do not agree")
    press(browser)
    assert said(browser) == "We have noted that you do not agree.", (
        "it stays English behind a press"
    )

    with left_behind(browser):
        browser.find_element(By.LINK_TEXT, "简体中文").click()
    assert heading(browser) == "我有异议"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("action", Action)
def test_a_page_fits_a_small_phone_and_can_be_read(
    browser: Chrome, made: Deployment, base: str, action: Action, language: str
) -> None:
    """At 360 points nothing is cut or scrolled aside; every field has a label and every target room for a finger;
    every text has the contrast of WCAG 2.2 AA.
    """
    opened(browser, base, made.token(action), language)
    _fits(browser)
    _is_labelled(browser)
    _has_contrast(browser)
    if action not in (Action.PAY, Action.PREFERENCES):
        press(browser)
        _fits(browser)
        _has_contrast(browser)


def test_nothing_is_fetched_and_the_browser_has_no_complaint(
    browser: Chrome, made: Deployment, base: str
) -> None:
    """One page is one request to our own address, and no rule of the page's own policy is broken."""
    logged(browser, "performance")
    logged(browser, "browser")
    for action in Action:
        opened(browser, base, made.token(action))

    asked = [
        message["params"]["request"]["url"]
        for entry in logged(browser, "performance")
        if (message := json.loads(entry["message"])["message"])["method"]
        == "Network.requestWillBeSent"
    ]
    assert len([url for url in asked if not url.startswith("data:")]) == len(Action)
    assert all(url.startswith((f"{base}/l/", "data:")) for url in asked)
    assert logged(browser, "browser") == []
    assert not browser.get_cookies()


def test_the_check_of_contrast_finds_a_pale_text(browser: Chrome, tmp_path: Path) -> None:
    """A test of the test: grey on white of 2.3 to 1 is found, and so is a field without a label."""
    page = tmp_path / "pale.html"
    page.write_text(
        '<body style="color:#aaa;background:#fff"><p>pale</p><input id="x" type="text">'
    )
    browser.get(page.as_uri())
    with pytest.raises(AssertionError, match="pale"):
        _has_contrast(browser)
    with pytest.raises(AssertionError, match="no label"):
        _is_labelled(browser)


def _fits(browser: Chrome) -> None:
    """Assert that nothing is wider than the screen."""
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= WIDTH, f"{wide} points wide"


def _is_labelled(browser: Chrome) -> None:
    """Assert that every field has a label, and that fields and buttons are as high as a finger wants."""
    fields = browser.find_elements(By.CSS_SELECTOR, "select, input")
    for field in fields:
        id_ = field.get_attribute("id")
        assert browser.find_elements(By.CSS_SELECTOR, f'label[for="{id_}"], label:has(#{id_})'), (
            f"{id_} has no label"
        )
    for target in browser.find_elements(By.CSS_SELECTOR, "select, button, a.button, label.tick"):
        if target.is_displayed():
            assert target.size["height"] >= FINGER, target.text


def _has_contrast(browser: Chrome) -> None:
    """Assert that every text that is shown stands out from what is behind it."""
    for text, front, back, is_large in browser.execute_script(_COLOURS):
        ratio = _ratio(front, back)
        assert ratio >= (LARGE_CONTRAST if is_large else CONTRAST), f"{text!r}: {ratio:.1f} to 1"


# Each text that is shown, its colour, the first opaque colour behind it, and whether it is large by WCAG.
_COLOURS = """
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim(), of = walker.currentNode.parentElement;
  if (!text || !of.checkVisibility()) continue;
  const style = getComputedStyle(of), size = parseFloat(style.fontSize);
  let behind = of, back = "rgba(0, 0, 0, 0)";
  while (behind && back.endsWith(", 0)")) {
    back = getComputedStyle(behind).backgroundColor;
    behind = behind.parentElement;
  }
  if (back.endsWith(", 0)")) back = "rgb(255, 255, 255)";
  const bold = parseInt(style.fontWeight) >= 700;
  found.push([text, style.color, back, size >= 24 || (bold && size >= 18.66)]);
}
return found;
"""


def _ratio(front: str, back: str) -> float:
    """Return the contrast of two colours. Source: WCAG 2.2, relative luminance."""
    lighter, darker = sorted((_luminance(front), _luminance(back)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts: list[Any] = colour[colour.index("(") + 1 : -1].split(",")[:3]
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (int(part) / 255 for part in parts)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
