// All sources, in the order in which their listeners are added.

import type { Source } from '../capture/capture';
import { participantInput } from './participant-input';
import { controls } from './controls';
import { edits } from './edits';
import { focus } from './focus';
import { key } from './key';
import { media } from './media';
import { navigation } from './navigation';
import { network } from './network';
import { pointer } from './pointer';
import { screen } from './screen';
import { scroll } from './scroll';
import { errors } from './errors';
import { visibility } from './visibility';

export const sources: readonly Source[] = [
  participantInput, pointer, key, edits, controls, scroll, focus, visibility, navigation, network, errors, media, screen,
];
