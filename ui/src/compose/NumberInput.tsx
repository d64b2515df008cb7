// A number being typed: what is half typed stays as it is, and only what is a number is passed on.
import { useState } from 'react';

interface Props {
  label: string;
  name: string;
  value: number | null;
  placeholder: number;
  /** Null when it was emptied. */
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
