// The HTTP API, for the pages.

// What the server said no to, in its own words (RFC 9457).
export class Problem extends Error {
  constructor(body) {
    super([body.title, body.detail].filter(Boolean).join(". ").replaceAll("..", "."));
    this.status = body.status;
    this.errors = body.errors ?? [];
  }
}

// Asks the API. Throws Problem for an answer that is one, TypeError when there is no answer at all.
export async function api(method, path, body) {
  const response = await fetch(`/api/v1${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => ({ title: `The server answered ${response.status}`, status: response.status }));
  throw new Problem(problem);
}

// All items of a list, page by page.
export async function all(path) {
  const items = [];
  let cursor = "";
  do {
    const page = await api("GET", `${path}?limit=100${cursor}`);
    items.push(...page.items);
    cursor = page.next && `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor);
  return items;
}
