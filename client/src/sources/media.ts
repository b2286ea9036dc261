// Playback of video and audio, with the time in the medium.

import { isHtml, mediaTime } from '../natives/dom';
import { type Source, synthetic } from '../capture/capture';
import { deep, selector } from '../capture/selector';

const KINDS = ['play', 'pause', 'seeked', 'ended'];

export const media: Source = ({ emit, masks, on }) => {
  for (let i = 0; i < KINDS.length; i++) {
    const kind = KINDS[i]!;
    on('window', kind, (event, at) => {
      const node = deep(event);
      if (!mediaTime || !isHtml(node)) return;
      emit.now('p', kind, at, {
        __proto__: null,
        target: selector(node),
        media_s: mediaTime(node as HTMLMediaElement),
        is_masked: masks.isMasked(node) || undefined,
        synthetic: synthetic(event),
      });
    });
  }
  return undefined;
};
