//! While the participant looks at the cross the operator sees how long that still lasts.

use affectograph::desktop::port::{BackendEvent, PageState, PageStatus};
use affectograph::session::Timestamp;

use super::{plain, says, scenes};

#[test]
fn the_operator_sees_how_long_the_participant_still_rests() {
    for is_embedded in [true, false] {
        let mut scene = scenes::live(plain(), 60.0, is_embedded);
        let status = PageStatus::Guided { phase: "rest".into(), until: Timestamp::from_secs_f64(101.5) };
        scene.say(BackendEvent::Page(PageState { status, ..scenes::page(is_embedded) }));
        assert!(says(&scene, "rest 0:42 left"), "embedded: {is_embedded}");
        if let Ok(picture) = scene.window.render() {
            let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
            std::fs::create_dir_all(&folder).unwrap();
            picture.save(folder.join(format!("live_guided_embedded_{is_embedded}.png"))).unwrap();
        }
        scene.say(BackendEvent::Page(scenes::page(is_embedded)));
        assert!(!says(&scene, "rest 0:"), "embedded: {is_embedded}");
    }
}
