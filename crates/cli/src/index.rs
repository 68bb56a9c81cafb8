//! The index for commands that get data back.

use strongroom_repository::Repository;
use strongroom_repository::index::Index;
use strongroom_repository::progress::Progress;

use crate::context::Context;
use crate::error::Result;

/// Opens what can be read of the index, and warns of the files that cannot.
///
/// One damaged file must not stand between a person and the data that other files name. What only the damaged one
/// names is then missing, and told as missing.
pub async fn load_readable(
    repository: &Repository,
    progress: &dyn Progress,
    context: &Context,
) -> Result<Index> {
    let (index, failures) = repository.open_index_tolerant(progress).await?;
    for (_, error) in failures {
        context.output.warning(&format!(
            "{error}; going on without it, and with what it names missing"
        ));
    }
    Ok(index)
}
