// Matches the size of a canvas to the resolution of the screen.

export interface Surface {
  /** Size, CSS pixels. */
  width: number;
  height: number;
  /** Number of canvas pixels per CSS pixel. */
  ratio: number;
}

/** Gives the canvas as many pixels as it covers on the screen, but at most `most` per CSS pixel.
 *  Sets the size only if it has changed, because setting the size clears a canvas. */
export function fit(canvas: HTMLCanvasElement, most = Infinity): Surface {
  const ratio = Math.min(most, devicePixelRatio);
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  return { width, height, ratio };
}
