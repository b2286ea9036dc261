// All sources, in the order in which their listeners are added.

import type { Source } from '../capture/capture';
import { brought } from './brought';
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
import { trouble } from './trouble';
import { visibility } from './visibility';

export const sources: readonly Source[] = [
  brought, pointer, key, edits, controls, scroll, focus, visibility, navigation, network, trouble, media, screen,
];
