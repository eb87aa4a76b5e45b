// A check that chevrotain does not make: what an OPTION or a repetition takes must not also be what may follow it, for it is greedy.
// Chevrotain decides with one token where its own rule leaves no doubt, and with two otherwise; so does this.
import {
  Alternation, NonTerminal, Option, Repetition, RepetitionMandatory, RepetitionMandatoryWithSeparator, RepetitionWithSeparator, Terminal,
  type Alternative, type IProduction, type Rule, type TokenType,
} from 'chevrotain';

type Path = readonly TokenType[]; // two tokens at most; fewer where the derivation ends
type Paths = ReadonlyMap<string, Path>;

const paths = (...all: readonly Path[]): Paths => new Map(all.map((p) => [p.map((t) => t.name).join(' '), p]));
const empty = paths([]);
const union = (...sets: readonly Paths[]): Paths => new Map(sets.flatMap((s) => [...s]));
const after = (a: Paths, b: Paths): Paths => paths(...[...a.values()].flatMap((p) => (p.length > 1 ? [p] : [...b.values()].map((q) => [...p, ...q].slice(0, 2)))));

const overlap = (a: TokenType, b: TokenType): boolean =>
  a === b || (a.categoryMatches ?? []).some((i) => i === b.tokenTypeIdx || (b.categoryMatches ?? []).includes(i)) || (b.categoryMatches ?? []).includes(a.tokenTypeIdx ?? -1);

const alternatives = (p: Alternation): readonly Alternative[] => p.definition as readonly IProduction[] as readonly Alternative[];

type Many = Option | Repetition | RepetitionMandatory | RepetitionWithSeparator | RepetitionMandatoryWithSeparator;
const isMany = (p: IProduction): p is Many =>
  p instanceof Option || p instanceof Repetition || p instanceof RepetitionMandatory || p instanceof RepetitionWithSeparator || p instanceof RepetitionMandatoryWithSeparator;

export function followConflicts(rules: Readonly<Record<string, Rule>>): readonly string[] {
  const first = new Map<string, Paths>();
  const follow = new Map<string, Paths>();

  const firstOf = (p: IProduction): Paths => {
    if (p instanceof Terminal) return paths([p.terminalType]);
    if (p instanceof NonTerminal) return first.get(p.nonTerminalName) ?? new Map();
    if (p instanceof Alternation) return union(...alternatives(p).map((alternative) => firstOfAll(alternative.definition)));
    if (!isMany(p)) throw new Error('a production of an unknown kind');
    const body = firstOfAll(p.definition);
    if (p instanceof Option) return union(body, empty);
    const separator = p instanceof RepetitionWithSeparator || p instanceof RepetitionMandatoryWithSeparator ? paths([p.separator]) : empty;
    const again = union(empty, after(separator, union(body, after(body, after(separator, body)))));
    const some = after(body, again);
    return p instanceof RepetitionMandatory || p instanceof RepetitionMandatoryWithSeparator ? some : union(some, empty);
  };
  const firstOfAll = (all: readonly IProduction[]): Paths => all.reduce((sum, p) => after(sum, firstOf(p)), empty);

  /** Visits every production with what may come after it: in its rule (`own`), and with what follows the rule (`whole`). */
  const walk = (all: readonly IProduction[], own: Paths, whole: Paths, visit: (p: IProduction, own: Paths, whole: Paths) => void): void => {
    for (const [i, p] of all.entries()) {
      const rest = firstOfAll(all.slice(i + 1));
      const [ownRest, wholeRest] = [after(rest, own), after(rest, whole)];
      visit(p, ownRest, wholeRest);
      if (p instanceof Alternation) for (const alternative of alternatives(p)) walk(alternative.definition, ownRest, wholeRest, visit);
      else if (p instanceof Option) walk(p.definition, ownRest, wholeRest, visit);
      else if (isMany(p)) {
        const separator = 'separator' in p ? paths([p.separator]) : empty;
        const more = union(empty, after(separator, firstOf(p)));
        walk(p.definition, after(more, ownRest), after(more, wholeRest), visit);
      }
    }
  };

  const grow = (map: Map<string, Paths>, name: string, more: Paths): boolean => {
    const before = map.get(name) ?? new Map<string, Path>();
    const now = union(before, more);
    map.set(name, now);
    return now.size > before.size;
  };
  for (let grew = true; grew;) {
    grew = Object.values(rules).map((r) => grow(first, r.name, firstOfAll(r.definition))).some(Boolean);
  }
  for (let grew = true; grew;) {
    grew = false;
    for (const rule of Object.values(rules)) {
      walk(rule.definition, empty, follow.get(rule.name) ?? empty, (p, _, whole) => {
        if (p instanceof NonTerminal && grow(follow, p.nonTerminalName, whole)) grew = true;
      });
    }
  }

  const conflicts: string[] = [];
  for (const rule of Object.values(rules)) {
    walk(rule.definition, empty, follow.get(rule.name) ?? empty, (p, own, whole) => {
      if (!isMany(p)) return;
      const taken = 'separator' in p ? paths([p.separator]) : firstOfAll(p.definition);
      const clash = (a: Path, b: Path, k: number): boolean => a.slice(0, k).every((token, i) => b[i] !== undefined && overlap(token, b[i]));
      const doubt = [...taken.values()].some((a) => [...own.values()].some((b) => clash(a, b, 1)));
      const k = doubt && !('separator' in p) ? 2 : 1;
      for (const a of taken.values()) {
        const other = [...whole.values()].find((b) => clash(a, b, k));
        if (other !== undefined) conflicts.push(`${rule.name}: ${a.map((t) => t.name).join(' ')} against ${other.map((t) => t.name).join(' ')}`);
      }
    });
  }
  return conflicts;
}
