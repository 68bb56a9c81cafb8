//! `strongroom generate`.

use strongroom_testkit::strongroom;

#[test]
fn manual_pages_and_completions_name_every_command() {
    let program = strongroom!();
    let man = program.home().join("man");
    std::fs::create_dir(&man).unwrap();
    program
        .run([
            "generate",
            "--man",
            "man",
            "--bash-completion",
            "bash",
            "--fish-completion",
            "fish",
            "--zsh-completion",
            "zsh",
            "--powershell-completion",
            "ps1",
        ])
        .ok();
    for page in [
        "strongroom.1",
        "strongroom-backup.1",
        "strongroom-key-passwd.1",
    ] {
        assert!(man.join(page).is_file(), "{page}");
    }
    for file in ["bash", "fish", "zsh", "ps1"] {
        let text = std::fs::read_to_string(program.home().join(file)).unwrap();
        assert!(
            text.contains("snapshots") && text.contains("passwd"),
            "{file}"
        );
    }
}
