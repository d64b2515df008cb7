// Parts of the Now view whose code is loaded only after the sentence is painted.
import { lazy } from 'react';

const loadCharts = () => import('./LaneCharts');
const loadVisual = () => import('../visual/Visual');

export const LaneCharts = lazy(async () => ({ default: (await loadCharts()).LaneCharts }));
export const Visual = lazy(async () => ({ default: (await loadVisual()).Visual }));

/** Code that the browser loads in advance, because a click in the Now view may need it. */
export const LATER_IN_NOW = [loadVisual];
