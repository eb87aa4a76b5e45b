// The cheapest set of edges that parts a source from a sink: maximum flow by blocking flows over rising levels (Dinic 1970).

export interface Edge { readonly from: number; readonly to: number; readonly capacity: number }

/** The vertices on the sink's side of the minimum cut that is nearest to the sink; undefined where no finite cut exists. Vertices are 0 … `count` - 1. */
export function sinkSide(count: number, edges: readonly Edge[], source: number, sink: number): ReadonlySet<number> | undefined {
  const flow = new Flow(count, edges);
  for (let levels = flow.levels(source, true); levels[sink] !== FAR; levels = flow.levels(source, true)) if (!flow.block(levels, source, sink)) return undefined;
  const reach = flow.levels(sink, false);
  return new Set([...reach.keys()].filter((vertex) => reach[vertex] !== FAR));
}

const FAR = -1;

class Flow {
  /** Edge 2i and its reverse 2i + 1. */
  private readonly to: readonly number[];
  private readonly left: number[];
  private readonly leaving: readonly number[][];

  constructor(private readonly count: number, edges: readonly Edge[]) {
    this.to = edges.flatMap((e) => [e.to, e.from]);
    this.left = edges.flatMap((e) => [e.capacity, 0]);
    this.leaving = Array.from({ length: count }, () => []);
    for (const [i, e] of edges.entries()) {
      this.leaving[e.from]?.push(2 * i);
      this.leaving[e.to]?.push(2 * i + 1);
    }
  }

  /** Edges from `root` to each vertex, along what has room left or against it. */
  levels(root: number, along: boolean): Int32Array {
    const level = new Int32Array(this.count).fill(FAR), queue = [root];
    level[root] = 0;
    for (const vertex of queue) for (const edge of this.leaving[vertex] ?? []) {
      const end = this.end(edge);
      if (level[end] !== FAR || this.room(along ? edge : edge ^ 1) <= 0) continue;
      level[end] = (level[vertex] ?? 0) + 1;
      queue.push(end);
    }
    return level;
  }

  /** Fills paths by rising level until each has a full edge. False where a path has no bound. */
  block(level: Int32Array, source: number, sink: number): boolean {
    const next = new Int32Array(this.count), path: number[] = [];
    for (let vertex = source; ;) {
      const tried = next[vertex] ?? 0, edge = this.leaving[vertex]?.[tried];
      if (vertex === sink) {
        const flow = Math.min(...path.map((e) => this.room(e)));
        if (flow === Infinity) return false;
        for (const e of path) {
          this.left[e] = this.room(e) - flow;
          this.left[e ^ 1] = this.room(e ^ 1) + flow;
        }
        path.length = 0;
        vertex = source;
      } else if (edge === undefined) {
        const back = path.pop();
        if (back === undefined) return true;
        vertex = this.end(back ^ 1);
        next[vertex] = (next[vertex] ?? 0) + 1;
      } else if (this.room(edge) > 0 && level[this.end(edge)] === (level[vertex] ?? 0) + 1) {
        path.push(edge);
        vertex = this.end(edge);
      } else next[vertex] = tried + 1;
    }
  }

  private room(edge: number): number { return this.left[edge] ?? 0; }
  private end(edge: number): number { return this.to[edge] ?? 0; }
}
