// Three small helpers around the DOM.

export const $ = (id) => document.getElementById(id);

/** Makes an element: properties by name, handlers as on…, attributes with a dash as they are. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.includes('-') || name === 'role') node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children);
  return node;
}

/** Moves focus to something that is not a control, a heading for instance. */
export function focusOn(node) {
  node.tabIndex = -1;
  node.focus({ preventScroll: true });
}
