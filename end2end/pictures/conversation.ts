// The rooms of the pictures: invented people of a harbour, and the things that they say on given dates.

import { type Browser } from "@playwright/test";
import { Person } from "./crew";

/** The time of each message, by room and number. */
export type Dates = Record<string, Record<number, number>>;

export type Crew = Record<"ann" | "marta" | "jonas" | "pim" | "ida" | "lena" | "rob", Person>;

export const HARBOUR = "harbour";

export async function gather(browser: Browser): Promise<Crew> {
  const person = (name: string, hue: number) => Person.of(browser, name, hue);
  return {
    ann: await person("Ann", 9),
    marta: await person("Marta", 2),
    jonas: await person("Jonas", 13),
    pim: await person("Pim", 20),
    ida: await person("Ida", 5),
    lena: await person("Lena", 16),
    rob: await person("Rob", 23),
  };
}

export class Conversation {
  readonly dates: Dates = {};
  /** The numbers of the messages of the harbour that others refer to. */
  readonly seqs: Record<string, number> = {};
  bookClub = "";

  constructor(private readonly crew: Crew) {}

  /** Everything that Ann has read. */
  async begin(): Promise<void> {
    const { ann, marta, jonas, pim, ida, lena, rob } = this.crew;

    const quiz = (person: Person, time: string, text: string) => this.say("quiz-night", person, `2026-11-16 ${time}`, text);
    await quiz(ann, "21:40", "Third place! Who knew that eels have two hearts?");
    await quiz(rob, "21:52", "See you all in spring!");

    const allotment = (person: Person, time: string, text: string) => this.say("allotment", person, `2026-11-25 ${time}`, text);
    await allotment(ann, "16:10", "I have covered the beds at the back.");
    await allotment(lena, "16:32", "Thank you! The kale looks happy.");

    this.bookClub = await ida.opensPrivate("Book club", 16);
    await this.say(this.bookClub, ida, "2026-11-29 19:02", "Shall we meet on Thursday?");
    await this.say(this.bookClub, ann, "2026-11-29 19:20", "Thursday is fine.");

    await this.say("summer-trip", jonas, "2026-11-30 07:58", "The hut is free in the second week of July.");

    const friday = (person: Person, time: string, text: string, replyTo?: number) =>
      this.say(HARBOUR, person, `2026-11-27 ${time}`, text, replyTo);
    const keys = await friday(marta, "17:40", "Keys are in the blue box. The code is on the back of the tide table.");
    await marta.describes(HARBOUR, "title", "Harbour crew");
    await marta.describes(HARBOUR, "topic", "Tide tables, crossings, and who brings the cake");
    await marta.pins(HARBOUR, keys);
    await friday(marta, "17:42", "The tide table for next week is up. Two early starts, sorry.");
    const crossing = await friday(marta, "17:42", "Anyone against moving the Tuesday crossing to 6:15?");
    const fine = await friday(jonas, "17:44", "Fine by me. I’ll tell the school.", crossing);
    await jonas.edits(HARBOUR, fine, "Fine by me. I’ll tell the school run.");
    await friday(pim, "17:51", "6:15 means coffee on board, I take it.");
    await ann.reacts(HARBOUR, crossing, "👍");
    await jonas.reacts(HARBOUR, crossing, "👍");
    await pim.reacts(HARBOUR, crossing, "👍");
    await pim.reacts(HARBOUR, crossing, "☕");

    await this.today(ann, "8:03", "Morning! Is the pontoon light fixed? The log says `relay 3: open`.");
    await this.today(ann, "8:04", "I can bring the spare fuse if not.");
    this.seqs.light = await this.today(marta, "8:10", "Fixed last night. I rather like it now.");
    await jonas.reacts(HARBOUR, this.seqs.light, "❤️");
    await pim.reacts(HARBOUR, this.seqs.light, "❤️");
    await ann.reacts(HARBOUR, this.seqs.light, "🎉");
    await jonas.reacts(HARBOUR, this.seqs.light, "🎉");
  }

  /** Everything that has come since Ann looked last. */
  async goOn(): Promise<void> {
    const { marta, jonas, pim, ida } = this.crew;
    await this.say(this.bookClub, ida, "2026-11-29 21:15", "Then Thursday at seven, at my place.");
    await this.say(this.bookClub, ida, "2026-11-29 21:16", "Chapter nine by then, no excuses this time.");
    await this.say("summer-trip", jonas, "2026-11-30 08:02", "Who is bringing the tent?");
    const text = "@Ann could you take the early one on Tuesday? @Pim has the school run, and I’m at the yard until nine.";
    this.seqs.question = await this.today(marta, "8:20", text);
    await this.today(pim, "8:21", "Sorry about the time. I owe you a cinnamon bun.");
    this.seqs.bun = await this.today(pim, "8:21", "Two, actually.");
    await jonas.reacts(HARBOUR, this.seqs.bun, "😂");
  }

  /** Ann answers the question that was put to her. */
  async answer(): Promise<void> {
    const { ann, marta } = this.crew;
    const reply = await this.today(ann, "8:23", "Yes, I’ll take it. Thanks for swapping!", this.seqs.question);
    await marta.reacts(HARBOUR, reply, "🙏");
  }

  private today(person: Person, time: string, text: string, replyTo?: number): Promise<number> {
    return this.say(HARBOUR, person, `2026-11-30 ${time.padStart(5, "0")}`, text, replyTo);
  }

  private async say(room: string, person: Person, at: string, text: string, replyTo?: number): Promise<number> {
    const seq = await person.says(room, text, replyTo);
    (this.dates[decodeURIComponent(room)] ??= {})[seq] = Date.parse(`${at.replace(" ", "T")}Z`);
    return seq;
  }
}
