// Formats notes, scales and the summary of the music as text.

const CLASSES = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'] as const;

export function pitchClass(midi: number): string {
  return CLASSES[((midi % 12) + 12) % 12] ?? 'C';
}

/** Returns the name of a MIDI note. Middle C (60) is C4. */
export function noteName(midi: number): string {
  return `${pitchClass(midi)}${Math.floor(midi / 12) - 1}`;
}

export function scaleName(scale: string): string {
  return scale.replaceAll('_', ' ');
}

/** Describes the music briefly, for example "ambient, D dorian, 110 bpm". */
export function summary(music: { preset: string; key_midi: number; scale: string; bpm: number }): string {
  return `${music.preset}, ${pitchClass(music.key_midi)} ${scaleName(music.scale)}, ${Math.round(music.bpm)} bpm`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
