import "./styleguide.css";

// The samples show the tokens by name, so that a new token needs no line here.
for (const swatch of document.querySelectorAll<HTMLElement>("[data-colour]"))
  swatch.style.background = `var(--${swatch.dataset["colour"]})`;
for (const sample of document.querySelectorAll<HTMLElement>("[data-size]"))
  sample.style.fontSize = `var(--text-${sample.dataset["size"]})`;
