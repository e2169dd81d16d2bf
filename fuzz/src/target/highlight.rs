//! The pieces of a script are the script, whatever it is, and none is empty.

use tenantatlas_app::version::highlight::Language;

pub fn check(input: &[u8]) {
    let script = String::from_utf8_lossy(input);
    for language in [Language::PowerShell, Language::Shell] {
        let tokens = language.tokens(&script);
        assert!(tokens.iter().all(|token| !token.text.is_empty()), "{language:?} of {script:?}");
        let whole: String = tokens.iter().map(|token| token.text).collect();
        assert_eq!(whole, script, "{language:?}");
    }
    let _ = Language::of("deviceManagementScript", &script);
}
