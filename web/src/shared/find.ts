/** What the page's template surely has. Where it has not, the error names what is missing, instead of failing later on a null. */
export function find<E extends Element>(root: ParentNode, selector: string): E {
  const element = root.querySelector<E>(selector);
  if (!element) throw new Error(`The page has no ${selector}.`);
  return element;
}
