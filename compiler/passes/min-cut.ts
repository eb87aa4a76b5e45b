// The cheapest set of edges that parts a source from a sink: maximum flow by shortest augmenting paths (Edmonds and Karp 1972).

export interface Edge { readonly from: number; readonly to: number; readonly capacity: number }

/** The vertices on the sink's side of the minimum cut that is nearest to the sink; undefined where no finite cut exists. Vertices are 0 … `count` - 1. */
export function sinkSide(count: number, edges: readonly Edge[], source: number, sink: number): ReadonlySet<number> | undefined {
  // Edge 2i and its reverse 2i + 1.
  const to = edges.flatMap((e) => [e.to, e.from]), left = edges.flatMap((e) => [e.capacity, 0]);
  const leaving: number[][] = Array.from({ length: count }, () => []);
  for (const [i, e] of edges.entries()) {
    leaving[e.from]?.push(2 * i);
    leaving[e.to]?.push(2 * i + 1);
  }
  const room = (edge: number): number => left[edge] ?? 0, end = (edge: number): number => to[edge] ?? 0;
  for (;;) {
    const via = search(source, leaving, (edge) => (room(edge) > 0 ? end(edge) : undefined));
    if (!via.has(sink)) break;
    const path: number[] = [];
    for (let edge = via.get(sink); edge !== undefined; edge = via.get(end(edge ^ 1))) path.push(edge);
    const flow = Math.min(...path.map(room));
    if (flow === Infinity) return undefined;
    for (const edge of path) {
      left[edge] = room(edge) - flow;
      left[edge ^ 1] = room(edge ^ 1) + flow;
    }
  }
  // Backwards from the sink along what has room left.
  return new Set(search(sink, leaving, (edge) => (room(edge ^ 1) > 0 ? end(edge) : undefined)).keys());
}

/** What is reached from `start`, in breadth, and the edge by which (none at the start). */
function search(start: number, leaving: readonly (readonly number[])[], next: (edge: number) => number | undefined): ReadonlyMap<number, number | undefined> {
  const via = new Map<number, number | undefined>([[start, undefined]]);
  for (const vertex of via.keys()) {
    for (const edge of leaving[vertex] ?? []) {
      const found = next(edge);
      if (found !== undefined && !via.has(found)) via.set(found, edge);
    }
  }
  return via;
}
