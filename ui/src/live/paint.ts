// Waits until the browser has painted.

/** Longest wait: a hidden page is not painted. */
const LONGEST_MS = 500;

/** Resolves after the next frame is painted. */
export function afterPaint(): Promise<void> {
  return new Promise((resolve) => {
    const painted = () => setTimeout(resolve, 0);
    requestAnimationFrame(painted);
    setTimeout(resolve, LONGEST_MS);
  });
}
