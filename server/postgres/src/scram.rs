//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side: a password is shown to be known without being sent.
//!
//! Which password it is says what its owner may do. Passwords are not kept, only what they are looked at with.

use crate::Role;
use crate::error::Trouble;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;

/// The name of the mechanism.
pub(crate) const MECHANISM: &str = "SCRAM-SHA-256";
/// How often a password is hashed. As many as PostgreSQL does: passwords here are tokens, which nobody guesses.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4_096).expect("it is not 0");

/// What shows that a client knows a password.
struct Verifier {
    role: Role,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

/// Who may come in.
pub(crate) struct Doors {
    salt: [u8; 16],
    verifiers: Vec<Verifier>,
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").field("passwords", &self.verifiers.len()).finish()
    }
}

fn random<const N: usize>() -> Result<[u8; N], Trouble> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Trouble::fatal("58000", "there is no randomness"))?;
    Ok(bytes)
}

fn signed(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

impl Doors {
    /// For these passwords.
    pub(crate) fn new(passwords: &[(Role, &str)]) -> Result<Self, Trouble> {
        let salt = random()?;
        let verifiers = passwords.iter().map(|(role, password)| {
            let mut salted = [0; digest::SHA256_OUTPUT_LEN];
            pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &salt, password.as_bytes(), &mut salted);
            let client_key = signed(&salted, b"Client Key");
            let stored_key = digest::digest(&digest::SHA256, &client_key).as_ref().to_vec();
            Verifier { role: *role, stored_key, server_key: signed(&salted, b"Server Key") }
        });
        Ok(Doors { salt, verifiers: verifiers.collect() })
    }

    /// Takes the first message of a client, behind the name of the mechanism; gives what is said to it.
    pub(crate) fn begin(&self, first: &str) -> Result<Started<'_>, Trouble> {
        let bare = first
            .strip_prefix("n,")
            .or_else(|| first.strip_prefix("y,"))
            .and_then(|rest| rest.split_once(','));
        let Some((_, bare)) = bare else {
            return Err(refused("channel binding is not spoken here: connect with channel_binding=disable"));
        };
        let nonce = bare.split(',').find_map(|part| part.strip_prefix("r=")).unwrap_or_default();
        if nonce.is_empty() || bare.starts_with("m=") {
            return Err(refused("the first message of SCRAM has no nonce"));
        }
        let nonce = format!("{nonce}{}", STANDARD.encode(random::<18>()?));
        let answer = format!("r={nonce},s={},i={ITERATIONS}", STANDARD.encode(self.salt));
        let flag = STANDARD.encode(first.strip_suffix(bare).unwrap_or_default());
        Ok(Started { doors: self, bare: bare.to_owned(), flag, nonce, answer })
    }
}

/// A login that has begun.
pub(crate) struct Started<'d> {
    doors: &'d Doors,
    bare: String,
    flag: String,
    nonce: String,
    /// What is said to the client.
    pub(crate) answer: String,
}

impl Started<'_> {
    /// Takes the second message of a client: what it may do, and what is said to it in the end.
    pub(crate) fn end(self, last: &str) -> Result<(Role, String), Trouble> {
        let wrong = || {
            Trouble::fatal("28P01", "the password is wrong: it is the token that the server was started with")
        };
        let (without_proof, proof) = last.rsplit_once(",p=").ok_or_else(wrong)?;
        if without_proof != format!("c={},r={}", self.flag, self.nonce) {
            return Err(wrong());
        }
        let proof = STANDARD.decode(proof).map_err(|_| wrong())?;
        let message = format!("{},{},{without_proof}", self.bare, self.answer);
        let verifiers = self.doors.verifiers.iter();
        // All are looked at, whichever it is.
        let known: Vec<&Verifier> =
            verifiers.filter(|verifier| verifier.is_known(&message, &proof)).collect();
        let verifier = known.first().ok_or_else(wrong)?;
        let signature = signed(&verifier.server_key, message.as_bytes());
        Ok((verifier.role, format!("v={}", STANDARD.encode(signature))))
    }
}

impl Verifier {
    fn is_known(&self, message: &str, proof: &[u8]) -> bool {
        let signature = signed(&self.stored_key, message.as_bytes());
        let client_key: Vec<u8> = signature.iter().zip(proof).map(|(one, other)| one ^ other).collect();
        let shown = digest::digest(&digest::SHA256, &client_key);
        let differs =
            shown.as_ref().iter().zip(&self.stored_key).fold(0, |differs, (a, b)| differs | (a ^ b));
        differs == 0 && proof.len() == self.stored_key.len()
    }
}

fn refused(message: &str) -> Trouble {
    Trouble::fatal("28000", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's side.
    fn proof(password: &str, bare: &str, server: &str, without_proof: &str) -> String {
        let part = |name: &str| server.split(',').find_map(|part| part.strip_prefix(name)).unwrap();
        let salt = STANDARD.decode(part("s=")).unwrap();
        let mut salted = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &salt, password.as_bytes(), &mut salted);
        let client_key = signed(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        let signature = signed(stored_key.as_ref(), format!("{bare},{server},{without_proof}").as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(one, other)| one ^ other).collect();
        format!("{without_proof},p={}", STANDARD.encode(proof))
    }

    #[test]
    fn who_knows_a_password_is_let_in_as_whom_it_is_for() {
        let doors = Doors::new(&[(Role::Operate, "the one"), (Role::Read, "the other")]).unwrap();
        let login = |password: &str, header: &str| {
            let started = doors.begin(&format!("{header}n=,r=abc")).unwrap();
            let nonce = started.answer.split(',').next().unwrap().to_owned();
            let without_proof = format!("c={},{nonce}", STANDARD.encode(header));
            let last = proof(password, "n=,r=abc", &started.answer, &without_proof);
            started.end(&last).map(|(role, _)| role)
        };
        assert_eq!(login("the one", "n,,").unwrap(), Role::Operate);
        assert_eq!(login("the other", "y,,").unwrap(), Role::Read);
        assert_eq!(login("nobody's", "n,,").unwrap_err().state, "28P01");
        let started = doors.begin("n,,n=,r=abc").unwrap();
        assert!(started.end("c=biws,r=abc,p=AAAA").is_err());
        assert!(doors.begin("p=tls-server-end-point,,n=,r=a").is_err() && doors.begin("n,,n=").is_err());
        assert!(!format!("{doors:?}").contains("the one"));
    }
}
