// Canvases as sharp as the screen.

export interface Surface {
  width: number;
  height: number;
  /** Pixels of the canvas for each of the page's. */
  ratio: number;
}

/** Gives the canvas as many pixels as it covers, at most `most` for each of the page's; assigning a size clears it, so only when it changed. */
export function fit(canvas: HTMLCanvasElement, most = Infinity): Surface {
  const ratio = Math.min(most, devicePixelRatio);
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  return { width, height, ratio };
}
