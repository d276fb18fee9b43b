"use strict";
// Draws every figure from the JSON that lies beside it.
const plots = [...document.querySelectorAll("figure .plot")];
// The colours of `figures/form.py`, each with what it is on a dark page.
const NIGHT = {
  "#1b1f23": "#e6e9ec", "#5b6770": "#a9b3bb", "#b0b7bc": "#66727c", "#e3e6e8": "#2f373e", "white": "#14181c",
  "#0072B2": "#56b4e9", "#D55E00": "#f08a4b", "#7fb2d5": "#3f7ea8", "#c9ced2": "#3a444c",
};
const dark = window.matchMedia("(prefers-color-scheme: dark)");
function draw(night) {
  for (const plot of plots) {
    let figure = plot.closest("figure").querySelector("script").textContent;
    if (night) for (const [day, other] of Object.entries(NIGHT)) figure = figure.replaceAll(`"${day}"`, `"${other}"`);
    const { data, layout } = JSON.parse(figure);
    Plotly.react(plot, data, layout, { displayModeBar: false, responsive: true });
  }
}
draw(dark.matches);
dark.addEventListener("change", () => draw(dark.matches));
// Paper has another width than the window, and nobody can open on it what is closed.
let opened = [];
window.addEventListener("beforeprint", () => {
  draw(false);
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
  for (const plot of plots) {
    const columns = plot.closest(".grid") ? 2 : 1;
    Plotly.relayout(plot, { width: 660 / columns - 10, autosize: false });
  }
});
window.addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
  draw(dark.matches);
  for (const plot of plots) Plotly.relayout(plot, { width: null, autosize: true });
});
// In a frame of another page, as in MLflow, links within this one lead nowhere by themselves.
document.addEventListener("click", (event) => {
  const link = location.protocol === "blob:" && event.target.closest('a[href^="#"]');
  const there = link && document.getElementById(link.hash.slice(1));
  if (!there) return;
  event.preventDefault();
  there.scrollIntoView();
});
