//! SCRAM (RFC 5802, 7677) without channel binding: both sides prove that they know the password, and neither shows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;

/// The hash of a mechanism.
pub(super) struct Hash {
    hmac: &'static hmac::Algorithm,
    digest: &'static digest::Algorithm,
    pbkdf2: &'static pbkdf2::Algorithm,
}

pub(super) static SHA_256: Hash =
    Hash { hmac: &hmac::HMAC_SHA256, digest: &digest::SHA256, pbkdf2: &pbkdf2::PBKDF2_HMAC_SHA256 };
pub(super) static SHA_512: Hash =
    Hash { hmac: &hmac::HMAC_SHA512, digest: &digest::SHA512, pbkdf2: &pbkdf2::PBKDF2_HMAC_SHA512 };

/// Rounds that a broker may ask for: fewer give the password away, more would keep this client busy.
const ROUNDS: std::ops::RangeInclusive<u32> = 4_096..=1_000_000;

/// The first message.
#[derive(Debug)]
pub(super) struct First {
    bare: String,
    nonce: String,
}

/// The second message, and what the broker has to answer.
#[derive(Debug)]
pub(super) struct Last {
    pub(super) message: String,
    signature: Vec<u8>,
}

impl First {
    pub(super) fn new(user: &str, nonce: &str) -> First {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        First { bare: format!("n={user},r={nonce}"), nonce: nonce.to_owned() }
    }

    pub(super) fn message(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The answer to the broker's challenge.
    pub(super) fn answer(&self, hash: &Hash, password: &str, challenge: &[u8]) -> Result<Last, String> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| "the challenge is no text".to_owned())?;
        let field = |name: &str| {
            let found = challenge.split(',').find_map(|field| field.strip_prefix(name));
            found.ok_or_else(|| format!("the challenge has no {name}"))
        };
        let nonce = field("r=")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the challenge is for somebody else".to_owned());
        }
        let salt = BASE64.decode(field("s=")?).map_err(|_| "the challenge's salt is none".to_owned())?;
        let rounds = field("i=")?.parse().ok().filter(|rounds| ROUNDS.contains(rounds));
        let rounds = rounds.and_then(NonZeroU32::new);
        let rounds = rounds.ok_or_else(|| format!("rounds must be within {ROUNDS:?}"))?;

        let mut salted = vec![0; hash.digest.output_len()];
        pbkdf2::derive(*hash.pbkdf2, rounds, &salt, password.as_bytes(), &mut salted);
        let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(*hash.hmac, key), text);
        let client_key = sign(&salted, b"Client Key");
        let stored = digest::digest(hash.digest, client_key.as_ref());
        let without_proof = format!("c=biws,r={nonce}");
        let all = format!("{},{challenge},{without_proof}", self.bare);
        let client_signature = sign(stored.as_ref(), all.as_bytes());
        let both = client_key.as_ref().iter().zip(client_signature.as_ref());
        let proof: Vec<u8> = both.map(|(key, signature)| key ^ signature).collect();
        let server_key = sign(&salted, b"Server Key");
        let signature = sign(server_key.as_ref(), all.as_bytes()).as_ref().to_vec();
        Ok(Last { message: format!("{without_proof},p={}", BASE64.encode(proof)), signature })
    }
}

impl Last {
    /// Whether the broker knows the password.
    pub(super) fn check(&self, answer: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(answer);
        if let Some(error) = text.split(',').find_map(|field| field.strip_prefix("e=")) {
            return Err(format!("the broker says: {error}"));
        }
        let found = text.split(',').find_map(|field| field.strip_prefix("v="));
        let found = found.and_then(|signature| BASE64.decode(signature).ok());
        match found {
            Some(found) if found == self.signature => Ok(()),
            _ => Err("the broker can't prove that it knows this user".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    #[test]
    fn the_exchange_of_the_specification() {
        let first = First::new("user", "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(first.message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let challenge =
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let last = first.answer(&SHA_256, "pencil", challenge).expect("an answer");
        assert_eq!(
            last.message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        last.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").expect("the broker's proof");
        assert!(last.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=").is_err());
        assert!(last.check(b"e=other-error").is_err_and(|why| why.contains("other-error")));
    }

    #[test]
    fn a_challenge_that_is_none_is_refused() {
        let first = First::new("a=b,c", "nonce");
        assert_eq!(first.message(), "n,,n=a=3Db=2Cc,r=nonce");
        for challenge in [
            &b"r=other,s=QQ==,i=4096"[..],
            b"r=nonce,s=QQ==,i=4096",
            b"r=noncex,s=!,i=4096",
            b"r=noncex,s=QQ==,i=1",
            b"r=noncex,s=QQ==,i=4000000000",
            b"s=QQ==,i=4096",
            b"\xff",
            b"",
        ] {
            assert!(first.answer(&SHA_512, "p", challenge).is_err(), "{challenge:?}");
        }
    }
}
