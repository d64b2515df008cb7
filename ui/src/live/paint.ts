// Waits until the browser has painted.

/** Maximum wait, because a browser does not paint hidden pages. */
const LONGEST_MS = 500;

/** Resolves after the browser has painted the next frame. */
export function afterPaint(): Promise<void> {
  return new Promise((resolve) => {
    const painted = () => setTimeout(resolve, 0);
    requestAnimationFrame(painted);
    setTimeout(resolve, LONGEST_MS);
  });
}
