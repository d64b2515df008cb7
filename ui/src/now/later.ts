// Parts of the view Now whose code is loaded after the sentence is painted.
import { lazy } from 'react';

const loadCharts = () => import('./LaneCharts');
const loadVisual = () => import('../visual/Visual');

export const LaneCharts = lazy(async () => ({ default: (await loadCharts()).LaneCharts }));
export const Visual = lazy(async () => ({ default: (await loadVisual()).Visual }));

/** Code to load in advance, because a click in the view Now may need it. */
export const LATER_IN_NOW = [loadVisual];
