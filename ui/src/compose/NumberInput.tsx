// A text field for a number. It keeps incomplete input, and reports only valid numbers.
import { useState } from 'react';

interface Props {
  label: string;
  name: string;
  value: number | null;
  placeholder: number;
  /** Called with each valid number, or with null if the field is empty. */
  onChange: (value: number | null) => void;
}

export function NumberInput({ label, name, value, placeholder, onChange }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const shown = value === null ? '' : String(Math.round(value * 1e4) / 1e4);
  return (
    <input
      type="text"
      inputMode="decimal"
      aria-label={label}
      name={name}
      value={draft ?? shown}
      placeholder={String(placeholder)}
      autoComplete="off"
      onChange={(event) => {
        const text = event.target.value;
        setDraft(text);
        const number = Number(text.trim().replace(',', '.'));
        if (text.trim() === '') onChange(null);
        else if (Number.isFinite(number)) onChange(number);
      }}
      onBlur={() => setDraft(null)}
    />
  );
}
