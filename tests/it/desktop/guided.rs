//! While the participant looks at the cross the operator sees how long that still lasts.

use affectograph::desktop::port::BackendEvent;

use super::{plain, says, scenes};

#[test]
fn the_operator_sees_how_long_the_participant_still_rests() {
    for is_embedded in [true, false] {
        let mut scene = scenes::guided(plain(), is_embedded);
        assert!(says(&scene, "rest 0:42 left"), "embedded: {is_embedded}");
        scene.say(BackendEvent::Page(scenes::page(is_embedded)));
        assert!(!says(&scene, "rest 0:"), "embedded: {is_embedded}");
    }
}
