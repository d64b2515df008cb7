// Short names for the generated types of the API.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Family = Schemas['Family'];
/** A unit, as the API names it: `1/s`, `B/s`, `s` or `ratio`. */
export type Unit = Schemas['SignalReport']['unit'];
export type Signal = Schemas['SignalReport'];
export type Note = Schemas['NoteReport'];
export type Cue = Schemas['CueReport'];
export type CueKind = Cue['kind'];
export type Controls = Schemas['ControlsReport'];
export type Silence = Schemas['SilenceReport'];

export type StreamEvent = Schemas['StreamEvent'];
export type Greeting = Schemas['Greeting'];
export type Lane = Schemas['LaneReport'];
export type LaneValues = Schemas['LaneValues'];
export type Bar = Schemas['BarReport'];
export type HistoryColumns = Schemas['HistoryColumns'];

export type Health = Schemas['HealthReport'];
export type Scope = Schemas['ScopeReport'];
export type SourceKind = Schemas['SourceKind'];
export type Probe = Schemas['ProbeReport'];
export type OscTarget = Schemas['TargetHealth'];
export type Baseline = Schemas['BaselineReport'];

export type Fleet = Schemas['FleetReport'];
export type FleetHost = Schemas['HostReport'];
export type SubSite = Schemas['SubSiteReport'];
export type SiteMode = Schemas['SiteMode'];
export type RefusedWhy = Exclude<keyof Schemas['RefusedMessages'], 'last'>;

export type Config = Schemas['Config'];
export type ConfigAnswer = Schemas['ConfigChanged'];
export type Device = Schemas['DeviceInfo'];
export type RecordingFile = Schemas['RecordedFile'];
export type DoctorCheck = Schemas['Check'];
export type CheckState = Schemas['CheckState'];

export type Preset = Schemas['PresetInfo'];
export type PresetList = Schemas['PresetList'];
export type PresetDetail = Schemas['PresetReport'];
export type PresetFile = Schemas['Preset'];
export type Previewed = Schemas['PresetPreview'];
export type Problem = Schemas['Problem'];
export type Route = Schemas['Route'];
export type Of = Schemas['Of'];
export type Curve = Schemas['Curve'];
export type Polarity = Schemas['Polarity'];
export type Vocabulary = Schemas['MappingVocabulary'];
export type MappingInput = Schemas['InputInfo'];
export type MappingFeature = Schemas['FeatureInfo'];
export type Range = Route['range'];
