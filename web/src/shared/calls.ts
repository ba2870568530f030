/** The API's calls by name, with the types of its own description: `../api` is made from that by scripts/build_web.py. */
import type { components, operations } from "../api";

/** What a call may be asked for. A parameter that the API does not have is refused there; here it does not compile. */
export type Asked<Call extends keyof operations> = NonNullable<operations[Call]["parameters"]["query"]>;

/** What a call answers. */
export type Answered<Call extends keyof operations> = operations[Call]["responses"] extends {
  200: { content: { "application/json": infer Answer } };
}
  ? Answer
  : never;

export type RefusedPhoto = components["schemas"]["RefusedPhoto"];

/** The parameters of a call as the end of its address, without those that say nothing. */
export function query(asked: Record<string, string | number | boolean | null | undefined>): string {
  return String(
    new URLSearchParams(
      Object.entries(asked).flatMap(([name, value]) =>
        value === null || value === undefined || value === "" ? [] : [[name, String(value)]],
      ),
    ),
  );
}
