// What a decoder must be told of an H.264 stream in Annex B form (ITU-T H.264 §7.3.2.1, RFC 6381).

// "avc1.PPCCLL" from the first sequence parameter set in the access unit; null if it holds none.
export function codecOf(accessUnit: Uint8Array): string | null {
  for (let i = 0; i + 6 < accessUnit.length; i++) {
    const isStart = accessUnit[i] === 0 && accessUnit[i + 1] === 0 && accessUnit[i + 2] === 1;
    if (!isStart || (accessUnit[i + 3]! & 0x1f) !== 7) continue;
    const numbers = Array.from(accessUnit.subarray(i + 4, i + 7), (byte) => byte.toString(16).padStart(2, '0'));
    return `avc1.${numbers.join('')}`;
  }
  return null;
}
