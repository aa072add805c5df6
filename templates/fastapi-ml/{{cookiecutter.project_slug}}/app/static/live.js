// Keeps the numbers of the page fresh. Without it they are those of when the page was loaded.
async function refresh() {
  if (document.hidden) return;
  const answer = await fetch("/live").catch(() => null);
  if (!answer?.ok) return;
  for (const [name, numbers] of Object.entries(await answer.json())) {
    for (const place of document.querySelectorAll(`[data-model="${CSS.escape(name)}"] [data-live]`)) {
      const value = numbers[place.dataset.live];
      place.textContent = value == null ? "–" : ["half", "most"].includes(place.dataset.live) ? value.toFixed(1) : value;
    }
  }
}

setInterval(refresh, 2000);
