// Limits how often screen readers announce a text that changes.
import { useEffect, useState } from 'react';

const ANNOUNCE_MS = 10_000;

/** Returns the text for a live region, whose changes screen readers announce. The returned text
 *  changes at most every ten seconds, and only if `sense` has changed. `sense` is a version of
 *  `text` without numbers, so a change of a number alone is not announced. */
export function useAnnounced(text: string, sense: string): string {
  const [announced, setAnnounced] = useState({ text: '', sense: '', at: -Infinity });
  useEffect(() => {
    if (sense === announced.sense || text === '') return;
    const wait = Math.max(0, announced.at + ANNOUNCE_MS - performance.now());
    const timer = setTimeout(() => setAnnounced({ text, sense, at: performance.now() }), wait);
    return () => clearTimeout(timer);
  }, [text, sense, announced]);
  return announced.text;
}
