//! Icons: symbols of one sprite, drawn in a box of 20 by 20 with one stroke. The page holds the sprite, and every icon
//! refers to its symbol, so an icon costs two elements, needs no request, and works without JavaScript.

use leptos::prelude::*;

/// A symbol of the sprite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    Alert,
    Back,
    Ban,
    Check,
    Close,
    Compass,
    Copy,
    Down,
    Edit,
    Emoji,
    Link,
    Lock,
    More,
    Mute,
    Offline,
    People,
    Pin,
    Plus,
    QrCode,
    React,
    Reconnect,
    Remove,
    Reply,
    Search,
    Select,
    Send,
    Settings,
    Share,
    Unread,
}

impl Symbol {
    const ALL: [Self; 29] = [
        Self::Alert,
        Self::Back,
        Self::Ban,
        Self::Check,
        Self::Close,
        Self::Compass,
        Self::Copy,
        Self::Down,
        Self::Edit,
        Self::Emoji,
        Self::Link,
        Self::Lock,
        Self::More,
        Self::Mute,
        Self::Offline,
        Self::People,
        Self::Pin,
        Self::Plus,
        Self::QrCode,
        Self::React,
        Self::Reconnect,
        Self::Remove,
        Self::Reply,
        Self::Search,
        Self::Select,
        Self::Send,
        Self::Settings,
        Self::Share,
        Self::Unread,
    ];

    /// Returns the number of the symbol, which is its id in the page after `i`.
    fn number(self) -> u8 {
        self as u8
    }

    /// Returns whether the symbol points to a side, and to the other one from right to left.
    fn is_mirrored(self) -> bool {
        matches!(self, Self::Back | Self::Reply)
    }

    /// Returns the drawing as the data of an SVG path.
    fn path(self) -> &'static str {
        match self {
            Self::Alert => "M10 3.2 17.4 16H2.6L10 3.2ZM10 8v3.6M10 13.7v.1",
            Self::Back => "M12.5 4.5 7 10l5.5 5.5",
            Self::Ban => "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM5.2 5.2l9.6 9.6",
            Self::Check => "m4.5 10.5 4 4L15.5 6",
            Self::Close => "m5 5 10 10M15 5 5 15",
            Self::Compass => "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM12.8 7.2l-1.4 4.2-4.2 1.4 1.4-4.2 4.2-1.4Z",
            Self::Copy => {
                "M9 7h5.5a2 2 0 0 1 2 2v5.5a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2ZM13 7V5.5a2 2 0 0 0-2-2H5.5a2 2 0 0 0-2 2V11a2 2 0 0 0 2 2H7"
            }
            Self::Down => "M10 4v12M5 11l5 5 5-5",
            Self::Edit => "m4 16 .7-3.2 8.5-8.5a1.6 1.6 0 0 1 2.3 0l.2.2a1.6 1.6 0 0 1 0 2.3l-8.5 8.5L4 16Z",
            Self::Emoji => "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM7.6 8.2v.6M12.4 8.2v.6M7 12a3.6 3.6 0 0 0 6 0",
            Self::Link => {
                "M8.5 11.5a3 3 0 0 0 4.3 0l2.6-2.6a3 3 0 0 0-4.3-4.3l-1 1M11.5 8.5a3 3 0 0 0-4.3 0l-2.6 2.6a3 3 0 0 0 4.3 4.3l1-1"
            }
            Self::Lock => {
                "M6.5 9h7a2 2 0 0 1 2 2v3.5a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2V11a2 2 0 0 1 2-2ZM7 9V6.5a3 3 0 0 1 6 0V9"
            }
            Self::More => "M4.5 10v.01M10 10v.01M15.5 10v.01",
            Self::Mute => "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM10 6v4.2l2.7 1.6",
            Self::Offline => {
                "m3 3 14 14M5 8.6a3.5 3.5 0 0 0 1.2 6.9h7.6M8 5.4a4.5 4.5 0 0 1 6.3 3.9 3.2 3.2 0 0 1 2 5.2"
            }
            Self::People => {
                "M7.5 4a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM2 16.5c.4-3 2.6-4.5 5.5-4.5s5.1 1.5 5.5 4.5M13 4.2a3 3 0 0 1 0 5.6M15 12.4c1.8.6 2.8 2 3 4.1"
            }
            Self::Pin => "M7.3 3h5.4l-.6 5.2 2.6 2.8H5.3l2.6-2.8L7.3 3ZM10 11v6",
            Self::Plus => "M10 4v12M4 10h12",
            Self::QrCode => {
                "M3.5 3.5h5v5h-5ZM11.5 3.5h5v5h-5ZM3.5 11.5h5v5h-5ZM11.5 11.5h2v2M16.5 11.5v5H14M11.5 16.5v-.2"
            }
            Self::React => {
                "M9.5 4a6.5 6.5 0 1 0 6.5 6.5M7.3 9v.6M11.7 9v.6M6.8 12.4a3.2 3.2 0 0 0 5.4 0M15 2.5v5M12.5 5h5"
            }
            Self::Reconnect => "M15.8 8a6.2 6.2 0 1 0 .4 3.5M16.2 4v4h-4",
            Self::Remove => {
                "M3.5 5.5h13M8 5.5V4a1 1 0 0 1 1-1h2a1 1 0 0 1 1 1v1.5M5.2 5.5l.7 9.7a2 2 0 0 0 2 1.8h4.2a2 2 0 0 0 2-1.8l.7-9.7"
            }
            Self::Reply => "M8 5 3.5 9.5 8 14M3.5 9.5H12a4.5 4.5 0 0 1 4.5 4.5v1.5",
            Self::Search => "M8.75 3.5a5.25 5.25 0 1 0 0 10.5 5.25 5.25 0 0 0 0-10.5ZM12.75 12.75 17 17",
            Self::Select => "M4.5 7.5 10 13l5.5-5.5",
            Self::Send => "M10 16V4M5 9l5-5 5 5",
            Self::Settings => {
                "M3 6h8M15 6h2M3 14h2M9 14h8M13 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM7 12a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z"
            }
            Self::Share => "M10 12.5V3M6.5 6.5 10 3l3.5 3.5M4.5 10.5V15a2 2 0 0 0 2 2h7a2 2 0 0 0 2-2v-4.5",
            Self::Unread => "M4 5h12M4 10h7M4 15h9M15 8.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2Z",
        }
    }
}

/// The sprite, once in a page and outside of its island.
#[component]
pub(crate) fn IconSprite() -> impl IntoView {
    let symbol = |symbol: Symbol| {
        // The dots are points of a broad stroke.
        let width = (symbol == Symbol::More).then_some("2.6");
        view! {
            <symbol id=format!("i{}", symbol.number()) viewBox="0 0 20 20"><path d=symbol.path() stroke-width=width /></symbol>
        }
    };
    view! { <svg class="icon-sprite" aria-hidden="true">{Symbol::ALL.map(symbol).collect_view()}</svg> }
}

/// An icon. It says nothing to screen readers: its button or link has a label.
#[component]
pub(crate) fn Icon(
    symbol: Symbol,
    /// Whether the icon is 16 px wide instead of 20.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    let class = match (symbol.is_mirrored(), small) {
        (true, _) => "icon flips",
        (false, true) => "icon icon-s",
        (false, false) => "icon",
    };
    view! { <svg class=class viewBox="0 0 20 20" aria-hidden="true"><use_ href=format!("#i{}", symbol.number()) /></svg> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_has_its_own_place_in_the_sprite() {
        let sprite = Owner::new().with(|| view! { <IconSprite /> }.to_html());
        for (symbol, number) in Symbol::ALL.into_iter().zip(0..) {
            assert_eq!(symbol.number(), number, "{symbol:?}");
            assert_eq!(sprite.matches(&format!(r#"id="i{number}""#)).count(), 1, "{symbol:?}");
        }
    }

    #[test]
    fn an_icon_refers_to_its_symbol_and_arrows_are_mirrored() {
        let icon = |symbol| Owner::new().with(|| view! { <Icon symbol /> }.to_html());
        assert!(icon(Symbol::Back).contains("flips") && !icon(Symbol::Close).contains("flips"));
        let close = icon(Symbol::Close);
        assert!(close.contains(&format!(r##"href="#i{}""##, Symbol::Close.number())), "{close}");
        assert!(close.contains("aria-hidden"), "{close}");
    }
}
