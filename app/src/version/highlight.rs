//! What is what in a script, told by its words alone: enough to find one's way, and never a reason not to show it.
//!
//! A tokeniser of our own: what there is on the shelf brings grammars and regular expressions of some megabytes for many
//! languages, where two are needed. The tokens of a script put together are the script, whatever it is.

mod lexer;
mod power_shell;
mod shell;
mod token;

use serde::de::IgnoredAny;

use lexer::Lexer;
pub use token::{Kind, Token};

/// A script is told apart up to so many tokens; what follows is shown as it is.
const MOST_TOKENS: usize = 20_000;
/// Interpreters that a first line may name, and the language that they read.
const SHELLS: [&str; 6] = ["sh", "bash", "zsh", "ksh", "dash", "ash"];

/// The languages that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Microsoft PowerShell.
    PowerShell,
    /// A shell of POSIX and those that grew out of it.
    Shell,
}

impl Language {
    /// The language of a content of an object of a type: what its first line says, else what scripts of the type are written in.
    /// `None` for another language, and for what is no script.
    #[must_use]
    pub fn of(policy_type: &str, content: &str) -> Option<Self> {
        if let Some(line) = content.strip_prefix("#!") {
            let line = line.lines().next().unwrap_or_default();
            let mut words = line.split(|character: char| character.is_whitespace() || character == '/');
            return words.find_map(|word| match word {
                "pwsh" | "powershell" => Some(Self::PowerShell),
                word => SHELLS.contains(&word).then_some(Self::Shell),
            });
        }
        let begin = content.trim_start();
        let is_markup = begin.starts_with('<') && !begin.starts_with("<#");
        if is_markup || serde_json::from_str::<IgnoredAny>(begin).is_ok() {
            return None;
        }
        match policy_type {
            "deviceManagementScript" | "deviceHealthScript" | "deviceComplianceScript" | "mobileApp" => {
                Some(Self::PowerShell)
            }
            "deviceShellScript" | "deviceCustomAttributeShellScript" | "linuxScriptPolicy" => Some(Self::Shell),
            _ => None,
        }
    }

    /// Takes a script apart.
    #[must_use]
    pub fn tokens(self, script: &str) -> Vec<Token<'_>> {
        let mut lexer = Lexer::new(script, MOST_TOKENS);
        match self {
            Self::PowerShell => power_shell::read(&mut lexer),
            Self::Shell => shell::read(&mut lexer),
        }
        lexer.tokens()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tokens that are something, as `kind text`.
    fn told(language: Language, script: &str) -> Vec<String> {
        let tokens = language.tokens(script);
        let whole: String = tokens.iter().map(|token| token.text).collect();
        assert_eq!(whole, script, "the tokens are the script");
        let something = tokens.into_iter().filter(|token| token.kind != Kind::Plain);
        something.map(|token| format!("{:?} {}", token.kind, token.text)).collect()
    }

    fn power_shell(script: &str) -> Vec<String> {
        told(Language::PowerShell, script)
    }

    fn shell(script: &str) -> Vec<String> {
        told(Language::Shell, script)
    }

    #[test]
    fn keywords_are_whole_words_of_the_language_whatever_their_case() {
        assert_eq!(
            power_shell("IF ($a -eq 1) { Start-Process -If .end } foreach-object"),
            ["Keyword IF", "Variable $a", "Keyword -eq"]
        );
        assert_eq!(power_shell("param([string]$Name)"), ["Keyword param", "Variable $Name"]);
        assert_eq!(
            shell("if [ -f x ]; then done-now; fi; IF"),
            ["Keyword if", "Keyword then", "Keyword fi"],
            "words of a shell have one case"
        );
    }

    #[test]
    fn a_quotation_mark_within_a_text_does_not_turn_the_rest_around() {
        assert_eq!(power_shell("'it''s' \"a `\" b\" x"), ["Text 'it''s'", "Text \"a `\" b\""]);
        assert_eq!(power_shell("\"$(if ($x) { \"y\" })\" 'z'"), ["Text \"$(if ($x) { \"y\" })\"", "Text 'z'"]);
        assert_eq!(
            shell("'a\\' \"b \\\" c\" \"$(echo \"d\")\" x"),
            ["Text 'a\\'", "Text \"b \\\" c\"", "Text \"$(echo \"d\")\""]
        );
        assert_eq!(shell("$'it\\'s' don\\'t if"), ["Text $'it\\'s'", "Keyword if"]);
    }

    #[test]
    fn texts_of_several_lines_end_where_the_language_says() {
        assert_eq!(
            power_shell("$a = @\"\nif # \"no\"\n\"@\nif"),
            ["Variable $a", "Text @\"\nif # \"no\"\n\"@", "Keyword if"]
        );
        assert_eq!(power_shell("<# if\n'#> if"), ["Comment <# if\n'#>", "Keyword if"]);
        assert_eq!(
            shell("cat <<'END' > f\nif $x\n  END\nEND\nfi"),
            ["Text 'END'", "Text if $x\n  END\nEND\n", "Keyword fi"]
        );
        assert_eq!(shell("cat <<-A\n\tx\n\tA\nfi; cat <<< here"), ["Text \tx\n\tA\n", "Keyword fi"]);
    }

    #[test]
    fn a_hash_within_a_word_begins_no_comment() {
        assert_eq!(power_shell("a#b # c\nd"), ["Comment # c"]);
        assert_eq!(shell("a#b $# ${#x} # c"), ["Variable $#", "Variable ${#x}", "Comment # c"]);
    }

    #[test]
    fn variables_are_told_with_their_scopes_and_braces() {
        assert_eq!(
            power_shell("$env:PATH ${a b} $_ @splat $$ $ @(1)"),
            ["Variable $env:PATH", "Variable ${a b}", "Variable $_", "Variable @splat", "Variable $$"]
        );
        assert_eq!(
            shell("$1x ${a:-${b}} $@ $( $"),
            ["Variable $1", "Variable ${a:-${b}}", "Variable $@"],
            "of digits one, and braces within braces"
        );
    }

    #[test]
    fn what_does_not_end_goes_to_the_end_and_what_is_long_is_shown_as_it_is() {
        for open in ["'a", "\"a", "\"$(b", "@'\nc", "<# d", "${e", "cat <<X\nf"] {
            power_shell(open);
            shell(open);
        }
        let long = "$a ".repeat(MOST_TOKENS);
        let tokens = Language::PowerShell.tokens(&long);
        assert!(tokens.len() <= MOST_TOKENS + 1, "{}", tokens.len());
    }

    #[test]
    fn the_first_line_says_the_language_and_else_the_type_does() {
        let of = |policy_type, content| Language::of(policy_type, content);
        assert_eq!(of("deviceManagementScript", "Write-Host 1"), Some(Language::PowerShell));
        assert_eq!(of("deviceShellScript", "#!/usr/bin/env python3\nx"), None);
        assert_eq!(of("deviceShellScript", "#!/bin/zsh -f\nx"), Some(Language::Shell));
        assert_eq!(of("settingsCatalogPolicy", "#!/bin/sh"), Some(Language::Shell));
        assert_eq!(of("settingsCatalogPolicy", "x"), None);
        assert_eq!(of("deviceManagementScript", "<#\n.SYNOPSIS\n#>"), Some(Language::PowerShell));
        assert_eq!(of("deviceManagementScript", "[CmdletBinding()]\nparam()"), Some(Language::PowerShell));
        for other in ["<?xml version=\"1.0\"?>", " {\"a\": [1]}", "[]"] {
            assert_eq!(of("mobileApp", other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn the_tokens_of_any_text_are_that_text(
            text in "[ -~\n\u{e4}\u{1F600}]{0,80}|[$@#<>'\"`\\\\{}()=\n a-c]{0,80}"
        ) {
            for language in [Language::PowerShell, Language::Shell] {
                let tokens = language.tokens(&text);
                let whole: String = tokens.iter().map(|token| token.text).collect();
                prop_assert_eq!(&whole, &text);
                prop_assert!(tokens.iter().all(|token| !token.text.is_empty()));
            }
        }
    }
}
