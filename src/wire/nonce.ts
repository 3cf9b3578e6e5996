/**
 * The nonce at the end of a request's last message: 'kt' and sixteen lowercase letters. It has no digits, so that no
 * filter takes it for a number, and it is unique, so that no cache answers by accident. The first eight letters name
 * the arm of the run. The last eight are the request's own seed: the simulated provider draws its delays from them
 * alone, so request i costs the same upstream time in every arm and in every run with the same --seed.
 */
import { hash32, type Random } from '../stats/random.ts'

const LETTERS = 8
const NONCE = /\bkt([a-z]{16})\s*$/
/** aa, ab, … zz: two letters at a time are faster, and every request on the hot path gets a nonce. */
const PAIRS = Array.from({ length: 26 * 26 }, (_, i) => String.fromCharCode(97 + Math.floor(i / 26), 97 + (i % 26)))

/** Eight random letters for one arm of one run. */
export function drawArmTag(random: Random): string {
  return letters(Math.floor(random() * 26 ** LETTERS))
}

/** The sixteen letters of request `index` under `seed`. */
export function buildNonce(tag: string, seed: number, index: number): string {
  return tag + letters(hash32(`${seed}/${index}`) + hash32(`${index}/${seed}`) * 48)
}

/** The word that is appended to the last message. */
export function nonceWord(nonce: string): string {
  return `kt${nonce}`
}

/** The nonce that ends `text`, if there is one. */
export function findNonce(text: string): string | undefined {
  return NONCE.exec(text)?.[1]
}

/** The request's own seed: equal for the same request in every arm. */
export function seedOfNonce(nonce: string): string {
  return nonce.slice(LETTERS)
}

function letters(value: number): string {
  let rest = value % 26 ** LETTERS
  let text = ''
  for (let i = 0; i < LETTERS; i += 2) {
    text = (PAIRS[rest % PAIRS.length] ?? '') + text
    rest = Math.floor(rest / PAIRS.length)
  }
  return text
}
