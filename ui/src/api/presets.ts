// The shapes of presets and mappings: what a preset's file says, what a mapping may say, and what is wrong with one.
import type { Family } from './types';

export interface Preset {
  name: string;
  hint: string;
  builtin: boolean;
  file: string | null;
}

export interface PresetList {
  presets: Preset[];
  current: string;
  /** The unsaved preset that is being heard; absent where the engine knows no preview. */
  previewing?: string | null;
  /** Problems of the user's preset files. */
  problems?: string[];
}

/** The unsaved preset that is playing. */
export interface Previewed {
  name: string;
  preset: PresetFile;
}

export type Range = [number, number];
export type Of = 'level' | 'deviation' | 'surprise';
export type Curve = 'linear' | 'square' | 'root';
export type Polarity = 'up' | 'down';

/** One line of a mapping: a signal moves a feature. */
export interface Route {
  signal: string;
  of: Of;
  /** Input values between which the feature moves; null is the usual range of `of`. */
  from: Range | null;
  to: string;
  curve: Curve;
  range: Range;
  polarity: Polarity;
}

/** A preset's file as JSON; the page edits three of its keys and hands the others back as they came. */
export interface PresetFile {
  name?: string;
  hint: string;
  swing?: number;
  map: Route[];
  [other: string]: unknown;
}

export interface PresetDetail {
  name: string;
  hint: string;
  builtin: boolean;
  file: string | null;
  preset: PresetFile;
}

export interface Problem {
  /** `map[3]`, `map[3].range`, `swing`, … */
  path: string;
  message: string;
}

export interface MappingInput {
  name: string;
  label?: string | null;
  family?: Family | null;
}

export interface MappingFeature {
  name: string;
  layer: string;
  unit: string;
  low: number;
  high: number;
  audible_step: number;
  meaning: string;
}

/** What a mapping may say. */
export interface Vocabulary {
  inputs: MappingInput[];
  features: MappingFeature[];
  of: Of[];
  curves: Curve[];
  polarities: Polarity[];
}
