//! `strongroom sign generate-key`.

use std::path::Path;

use serde_json::json;
use strongroom_repository::signature::{SignatureAlgorithm, SigningKey};

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::signing;

pub fn run(out: &Path, hmac: bool, context: &Context) -> Result<ExitCode> {
    let algorithm = match hmac {
        true => SignatureAlgorithm::HmacSha256,
        false => SignatureAlgorithm::Ed25519,
    };
    let key = SigningKey::generate(algorithm)?;
    signing::write_new(out, &key.encode())?;
    let public = key.verifying_key();
    let output = &context.output;
    if output.is_json() {
        output.json(&json!({
            "message_type": "signing_key", "algorithm": algorithm.word(), "id": public.id(),
            "public_key": public.public_text(),
        }))?;
    } else if let Some(text) = public.public_text() {
        output.result(text.trim_end())?;
    }
    let what = match public.is_secret() {
        true => "whoever has it can sign and verify",
        false => {
            "keep it where neither the storage nor the password is; whoever has the public key can verify"
        }
    };
    let (id, out) = (public.id().short(), out.display());
    output.note(format_args!("wrote key {id} to {out}: {what}"));
    Ok(ExitCode::Success)
}
