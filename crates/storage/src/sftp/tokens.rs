//! What stands for something else in values of OpenSSH's configuration.

use std::path::{Path, PathBuf};

/// What `%` and a letter stand for in names of hosts and files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tokens<'a> {
    pub(super) home: Option<&'a Path>,
    /// The host that is connected to, and the user there.
    pub(super) host: &'a str,
    pub(super) user: &'a str,
    /// Who runs this program.
    pub(super) local_user: Option<&'a str>,
}

impl Tokens<'_> {
    /// `None` where a letter is not understood, or what it stands for is not known.
    pub(super) fn replaced(&self, text: &str) -> Option<String> {
        let mut replaced = String::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                replaced.push(letter);
                continue;
            }
            match letters.next()? {
                '%' => replaced.push('%'),
                'd' => replaced.push_str(self.home?.to_str()?),
                'h' => replaced.push_str(self.host),
                'r' => replaced.push_str(self.user),
                'u' => replaced.push_str(self.local_user?),
                _ => return None,
            }
        }
        Some(replaced)
    }

    /// A file; `~` is the home folder.
    pub(super) fn file(&self, text: &str) -> Option<PathBuf> {
        let text = self.replaced(text)?;
        match text.strip_prefix("~/") {
            Some(rest) => Some(self.home?.join(rest)),
            None => Some(PathBuf::from(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_replaced_or_refused() {
        let tokens = Tokens {
            home: Some(Path::new("/home/me")),
            host: "h",
            user: "ada",
            local_user: Some("me"),
        };
        let file = |text| tokens.file(text).map(|path| path.display().to_string());
        assert_eq!(
            file("~/.ssh/%h-%r-%u%%").as_deref(),
            Some("/home/me/.ssh/h-ada-me%")
        );
        assert_eq!(file("%d/k").as_deref(), Some("/home/me/k"));
        assert_eq!(file("/k").as_deref(), Some("/k"));
        assert_eq!((file("%C"), file("%")), (None, None));
    }
}
