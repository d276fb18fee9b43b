"use strict";
// Draws every figure from the JSON that lies beside it.
const plots = [];
for (const figure of document.querySelectorAll("figure > .plot")) {
  const { data, layout } = JSON.parse(figure.parentElement.querySelector("script").textContent);
  Plotly.newPlot(figure, data, layout, { displayModeBar: false, responsive: true });
  plots.push(figure);
}
// Paper has another width than the window, and nobody can open on it what is closed.
let opened = [];
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
  for (const plot of plots) {
    const columns = plot.closest(".grid") ? 2 : 1;
    Plotly.relayout(plot, { width: 660 / columns - 10, autosize: false });
  }
});
window.addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
  for (const plot of plots) Plotly.relayout(plot, { width: null, autosize: true });
});
