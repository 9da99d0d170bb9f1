//! Users, tokens and passwords: how they are made, for the command line and the server alike.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ledger::{Ledger, Token, User};
use secrecy::ExposeSecret as _;

use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::http::Role;

/// Begins every token, so that it is recognised where it should not be.
const TOKEN_PREFIX: &str = "segue";
/// The shortest password, in characters.
const PASSWORD_CHARS_MIN: usize = 12;
/// The longest: hashing is work.
const PASSWORD_CHARS_MAX: usize = 256;
/// The longest name of a user or a token, in characters.
const NAME_CHARS_MAX: usize = 64;
/// The longest life of a token, in days.
pub(crate) const TOKEN_DAYS_MAX: u32 = 3_650;
/// How long the first link is good.
pub(crate) const SETUP_LINK_LIFE: SignedDuration = SignedDuration::from_mins(30);
/// Memory of Argon2id in KiB, and passes over it: OWASP's least for one lane.
const ARGON2_KIB: u32 = 19 * 1_024;
const ARGON2_PASSES: u32 = 2;
/// Passwords that everybody tries first, as far as they are long enough.
const COMMON: &[&str] = &[
    "123456789012",
    "1234567890123",
    "password1234",
    "passwordpassword",
    "qwertyuiop12",
    "administrator",
    "adminadminadmin",
    "letmeinletmein",
    "iloveyouiloveyou",
    "seguesegue12",
    "seguesegueseg",
];

/// Returns 256 random bits as text.
///
/// # Errors
/// The machine has no randomness.
pub(crate) fn secret() -> Result<String, Failure> {
    let bytes = ambient::secret_bytes(32)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes.expose_secret()))
}

/// What is kept of a secret. It has 256 random bits, so that a fast digest is as good as a slow one.
pub(crate) fn digest(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// What forms of a session carry. It follows from the session's secret, so that pages can be drawn with it
/// and nothing more has to be kept; the secret does not follow from it.
pub(crate) fn guard_of(secret: &str) -> String {
    let key = blake3::derive_key("segue 2026 guard of a session", secret.as_bytes());
    URL_SAFE_NO_PAD.encode(key)
}

/// Makes a token. The text is shown once and kept nowhere.
///
/// # Errors
/// The name does not do, or the ledger cannot be written.
pub(crate) async fn make_token(
    ledger: &Ledger,
    name: &str,
    role: Role,
    days: u32,
    creator: &str,
    now: Timestamp,
) -> Result<(Token, String), Failure> {
    check_name(name)?;
    if days == 0 || days > TOKEN_DAYS_MAX {
        return Err(Failure::usage(format!("a token lives from 1 to {TOKEN_DAYS_MAX} days")));
    }
    let id: String = blake3::hash(secret()?.as_bytes()).to_hex().chars().take(12).collect();
    let text = format!("{TOKEN_PREFIX}_{id}_{}", secret()?);
    let expires =
        now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX);
    let token = Token {
        id,
        name: name.to_owned(),
        role: role.as_str().to_owned(),
        created: now,
        creator: creator.to_owned(),
        expires,
        last_used: None,
    };
    ledger.add_token(&token, &digest(&text)).await?;
    Ok((token, text))
}

/// Makes what is kept of a user.
///
/// # Errors
/// The name or the password does not do.
pub(crate) fn user(
    name: &str,
    role: Role,
    password: &str,
    now: Timestamp,
) -> Result<User, Failure> {
    check_name(name)?;
    check_password(name, password)?;
    Ok(User {
        name: name.to_owned(),
        role: role.as_str().to_owned(),
        password: hash(password)?,
        created: now,
    })
}

/// Makes a new link for the first user, in the place of an earlier one of this server. Returns its secret
/// part; nothing when there is a user.
///
/// # Errors
/// The ledger cannot be written.
pub(crate) async fn setup_link(ledger: &Ledger, now: Timestamp) -> Result<Option<String>, Failure> {
    let secret = secret()?;
    let expires = now.checked_add(SETUP_LINK_LIFE).unwrap_or(Timestamp::MAX);
    let is_of_use = ledger.set_setup_link(&digest(&secret), now, expires).await?;
    Ok(is_of_use.then_some(secret))
}

/// Whether a password is the one of a hash. Without a hash it takes just as long and is wrong.
pub(crate) fn is_right(password: &str, hash: Option<&str>) -> bool {
    // Of a password that nobody has.
    const OF_NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2VndWUtb2Ytbm9ib2R5$ZfHqdkPdbvVyjTVqZjyJR4tk0l2rDqj0kWPm0sfHq0c";
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(OF_NOBODY)) else { return false };
    let is_same =
        argon2().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), &parsed).is_ok());
    is_same && hash.is_some()
}

fn hash(password: &str) -> Result<String, Failure> {
    let failed = |_| Failure::new(Kind::Internal, "the password cannot be hashed");
    let bytes = ambient::secret_bytes(16)?;
    let salt = SaltString::encode_b64(bytes.expose_secret()).map_err(failed)?;
    let argon2 =
        argon2().map_err(|_| Failure::new(Kind::Internal, "the password cannot be hashed"))?;
    Ok(argon2.hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

fn argon2() -> Result<Argon2<'static>, argon2::Error> {
    let params = Params::new(ARGON2_KIB, ARGON2_PASSES, 1, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn check_name(name: &str) -> Result<(), Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "a name has 1 to {NAME_CHARS_MAX} letters, digits, dots, hyphens, underscores or @"
    )))
}

fn check_password(name: &str, password: &str) -> Result<(), Failure> {
    let length = password.chars().count();
    let problem = if length < PASSWORD_CHARS_MIN {
        format!("a password has at least {PASSWORD_CHARS_MIN} characters")
    } else if length > PASSWORD_CHARS_MAX {
        format!("a password has at most {PASSWORD_CHARS_MAX} characters")
    } else if COMMON.contains(&password.to_lowercase().as_str())
        || password.chars().all(|c| password.starts_with(c))
    {
        "the password is one that everybody tries first".to_owned()
    } else if password.to_lowercase().contains(&name.to_lowercase()) && name.len() > 3 {
        "the password holds the name".to_owned()
    } else {
        return Ok(());
    };
    Err(Failure::usage(problem).hint("A few words that do not belong together make a good one."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_checked_and_kept_as_argon2id() {
        let now = Timestamp::UNIX_EPOCH;
        let user = user("ann", Role::Viewer, "correct horse battery", now).expect("a good one");
        assert!(user.password.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", user.password);
        assert!(is_right("correct horse battery", Some(&user.password)));
        assert!(!is_right("correct horse battery.", Some(&user.password)));
        assert!(!is_right("correct horse battery", None));
        assert!(!format!("{user:?}").contains("argon2"), "a hash is not printed");
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        let refused = |name: &str, password: &str| {
            let user = user(name, Role::Viewer, password, Timestamp::UNIX_EPOCH);
            user.expect_err(password).message
        };
        insta::assert_snapshot!(refused("ann", "short"), @"a password has at least 12 characters");
        insta::assert_snapshot!(refused("ann", "PasswordPassword"), @"the password is one that everybody tries first");
        insta::assert_snapshot!(refused("ann", "aaaaaaaaaaaaa"), @"the password is one that everybody tries first");
        insta::assert_snapshot!(refused("marianne", "xx-Marianne-1234"), @"the password holds the name");
        insta::assert_snapshot!(refused("a b", "correct horse battery"), @"a name has 1 to 64 letters, digits, dots, hyphens, underscores or @");
    }

    #[test]
    fn a_hash_of_nobody_can_be_read() {
        // Otherwise a sign-in under an unknown name would be faster.
        let begin = std::time::Instant::now();
        assert!(!is_right("whatever it is", None));
        assert!(begin.elapsed() > std::time::Duration::from_millis(2));
    }
}
