// The public API of the package.

export { createRecorder, type Recorder } from './recorder';
export type { RecorderOptions } from './options';
export type { ConsentText } from './consent/text';
export type { SignText } from './sign/text';
export type { CameraState, Completion, Phase, RecordedAffect, RecordedEvent, State } from './state';
export { only, type SourceName } from './observables';
export { VERSION } from './version';
