// Waits until the browser has painted a frame.

/** `afterPaint` waits at most this time, in milliseconds, because a browser does not paint hidden
 *  pages. */
const LONGEST_MS = 500;

/** Returns a promise that resolves after the browser has painted the next frame. */
export function afterPaint(): Promise<void> {
  return new Promise((resolve) => {
    const painted = () => setTimeout(resolve, 0);
    requestAnimationFrame(painted);
    setTimeout(resolve, LONGEST_MS);
  });
}
