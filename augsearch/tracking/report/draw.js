"use strict";
// Draws every figure from the JSON that lies beside it.
const plots = [];
for (const figure of document.querySelectorAll("figure > .plot")) {
  const { data, layout } = JSON.parse(figure.parentElement.querySelector("script").textContent);
  Plotly.newPlot(figure, data, layout, { displayModeBar: false, responsive: true });
  plots.push(figure);
}
// Paper has another width than the window; what is closed on the screen is not printed either.
window.addEventListener("beforeprint", () => {
  for (const plot of plots) {
    const columns = plot.closest(".grid") ? 2 : 1;
    Plotly.relayout(plot, { width: 660 / columns - 10, autosize: false });
  }
});
window.addEventListener("afterprint", () => {
  for (const plot of plots) Plotly.relayout(plot, { width: null, autosize: true });
});
