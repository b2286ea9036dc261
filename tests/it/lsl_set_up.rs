//! The sources of a study in the set-up, with the window's backend, a phantom camera and a real sender.

use affectograph::desktop::port::CheckState;
use affectograph::session::{CheckId, HEALTH};
use affectograph::store::SessionFile;

use super::backend_window::BackendWindow;
use super::lsl::{amplifier, config, tools};
use super::vision_support::models;

const STUDY: &str = "name = \"lab\"\ntitle = \"Lab\"\n[camera]\nwidth_px = 320\nheight_px = 240\nrate_hz = 15.0\n\
    [[sources]]\nkind = \"lsl\"\nname = \"amp\"\n[[sources]]\nkind = \"lsl\"\nname = \"absent\"\nrequired = false\n";

#[test]
fn the_set_up_shows_each_source_and_records_without_one_only_if_the_operator_wants_it() {
    let (Some(python), Some(_)) = (tools(), models()) else { return };
    let tmp = tempfile::tempdir().unwrap();
    let lsl = config(tmp.path());
    // SAFETY: no other thread runs yet that reads or writes the environment.
    unsafe { std::env::set_var("LSLAPICFG", &lsl) };
    let sender = amplifier(&python, 300.0, false, &lsl);

    let mut set_up = BackendWindow::set_up(tmp.path(), STUDY);
    set_up.wait_for_source(0, CheckState::Waiting, "`name=amp` is looked for");
    set_up.wait_for_source(0, CheckState::Ok, "8 channels of float32 at 250 Hz");
    set_up.wait_for_source(1, CheckState::Warning, "was not found");
    let (_, sentence) = set_up.sources()[0];
    assert!(sentence.contains("samples a second, its clock is known to ±"), "{sentence}");

    drop(sender);
    set_up.wait_for_source(0, CheckState::Failed, "sends nothing");
    let sender = amplifier(&python, 300.0, false, &lsl);
    set_up.wait_for_source(0, CheckState::Ok, "samples a second");
    drop(sender);
    set_up.wait_for_source(0, CheckState::Failed, "sends nothing");

    set_up.record(vec![CheckId::Source, CheckId::FaceLight]);
    for source in [0, 1] {
        set_up.wait_for_source(source, CheckState::Warning, "is not recorded");
    }
    let folder = set_up.stop();
    let file = SessionFile::open(&folder).unwrap();
    assert!(file.header().overridden_checks.contains(&CheckId::Source));
    let timeline = file.timeline().unwrap();
    let is_missing = |kind: &str| kind == "source_missing";
    let missing = timeline.events().iter().filter(|e| e.stream.as_str() == HEALTH && is_missing(&e.what.kind));
    assert_eq!(missing.count(), 2);
}
