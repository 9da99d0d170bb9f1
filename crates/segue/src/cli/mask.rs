//! Masking of profile values, because what is on a screen ends up in scrollback and screenshots.

/// Letters become `x` and digits `0`; what separates and quotes stays.
pub(crate) fn mask(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            _ if letter.is_ascii_digit() => '0',
            _ if letter.is_alphanumeric() => 'x',
            // An escape sequence must not reach a terminal.
            _ if letter.is_control() && !matches!(letter, '\n' | '\r' | '\t') => '·',
            _ => letter,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn masking_keeps_the_shape_of_a_row() {
        assert_eq!(super::mask("Zoë,\"4, rue\",7.5\n"), "xxx,\"0, xxx\",0.0\n");
    }
}
