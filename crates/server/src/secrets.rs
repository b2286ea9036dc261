//! Random tokens, and the hashes of tokens and passwords that are stored.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Shorter passwords are too easy to guess.
pub const MIN_PASSWORD_CHARS: usize = 10;
const MAX_PASSWORD_BYTES: usize = 1024;

#[derive(Debug, Error)]
pub enum SecretError {
    #[error("the operating system provides no random numbers: {0}")]
    Random(String),
    #[error(
        "the password is too short or too long: choose one of {MIN_PASSWORD_CHARS} characters or more and at most {MAX_PASSWORD_BYTES} bytes"
    )]
    Length,
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// `prefix` and 32 random bytes.
pub fn random_token(prefix: &str) -> Result<String, SecretError> {
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::<32>()?)))
}

/// A random identifier. It cannot be guessed, and it is not secret.
pub fn random_id() -> Result<String, SecretError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<16>()?))
}

pub fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|e| SecretError::Random(e.to_string()))?;
    Ok(bytes)
}

/// The hash of a random token. The token has 256 random bits, so a fast hash is sufficient.
pub fn sha256(token: &str) -> store::Sha256 {
    Sha256::digest(token.as_bytes()).into()
}

/// The Argon2 hash of a password.
pub fn hash_password(password: &str) -> Result<String, SecretError> {
    if password.chars().count() < MIN_PASSWORD_CHARS || password.len() > MAX_PASSWORD_BYTES {
        return Err(SecretError::Length);
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|e| SecretError::Hash(e.to_string()))?.to_string())
}

/// Takes a tenth of a second and 19 MB. The cost makes guessing slow.
pub fn is_password(password: &str, phc: &str) -> bool {
    password.len() <= MAX_PASSWORD_BYTES
        && PasswordHash::new(phc)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_random_and_passwords_are_salted() {
        let (a, b) = (random_token("ags_").unwrap(), random_token("ags_").unwrap());
        assert!(a != b && a.starts_with("ags_") && a.len() == 4 + 43, "{a}");
        let (x, y) = (hash_password("correct horse").unwrap(), hash_password("correct horse").unwrap());
        assert!(x != y && x.starts_with("$argon2id$"), "{x}");
        assert!(is_password("correct horse", &x) && is_password("correct horse", &y));
        assert!(!is_password("wrong horse", &x) && !is_password("correct horse", "no hash"));
        assert!(hash_password("short").is_err());
    }
}
