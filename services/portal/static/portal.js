// Behaviour that pages can do without: everything works when this file never arrives.
import { Button, ErrorSummary, Radios, SkipLink, createAll } from "./govuk-frontend.js";

// A browser that runs this module supports the components; they look for these classes.
document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(Button, { preventDoubleClick: true });
createAll(ErrorSummary);
createAll(Radios);
createAll(SkipLink);

for (const button of document.querySelectorAll("[data-imprimir]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
