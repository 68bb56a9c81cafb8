//! `strongroom sign verify`.

use strongroom_repository::lock::{Access, Lock};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::signing;

pub async fn run(context: &Context) -> Result<ExitCode> {
    let repository = context.open_without_cache(&context.named()?).await?;
    let verifying = async |_: &Lock| context.verify_signatures(&repository).await;
    let Some(report) = context.locked(&repository, Access::Read, verifying).await? else {
        return Err(Error::usage("there is no key to verify with")
            .hint("give --verify-key FILE, or set STRONGROOM_VERIFY_KEY_FILE"));
    };
    signing::tell(&report, context)?;
    context.output.flush()?;
    signing::result(&report, context)
}
