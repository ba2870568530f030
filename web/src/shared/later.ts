/** Calls an act once, when it has been asked for and then not again for so long. */
export function later(act: () => void, milliseconds = 400): () => void {
  let timer = 0;
  return () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(act, milliseconds);
  };
}
