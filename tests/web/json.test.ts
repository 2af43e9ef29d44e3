import { canonicalJson, parseForeignJson, parseJson, Reader } from '@web/protocol/json';

const refuses = (text: string) => expect(() => parseJson(text), text).toThrow();

describe('strict JSON', () => {
  it('reads what JSON may say', () => {
    const text = ' {"a":[1,-2,0,9007199254740991],"b":{"å":"\\u00e5\\n\\ud83d\\ude00"},"c":null,"d":true,"e":false} ';
    expect(JSON.parse(canonicalJson(parseJson(text)))).toEqual(JSON.parse(text));
  });
  it('refuses a member twice, in any spelling, at any depth', () => {
    refuses('{"a":1,"a":1}');
    refuses('{"a":1,"\\u0061":2}');
    refuses('[{"b":{"a":1,"a":2}}]');
    refuses('{"__proto__":1,"__proto__":2}');
  });
  it('keeps a member named __proto__ a member', () => {
    const value = parseJson('{"__proto__":{"admin":true}}') as Record<string, unknown>;
    expect(value.admin).toBeUndefined();
    expect(Object.keys(value)).toEqual(['__proto__']);
  });
  it('refuses numbers that are not integers within 2^53-1', () => {
    for (const n of ['1.0', '1e2', '-0', '9007199254740992', '-9007199254740992', '01', '+1', '.5', '1.', 'NaN', '0x1', '1E400', '- 1']) refuses(n);
  });
  it('reads fractions from foreign programs only', () => {
    expect(parseForeignJson('[1.5,1e2,-0]')).toEqual([1.5, 100, -0]);
    expect(() => parseForeignJson('9007199254740993')).toThrow();
  });
  it('refuses text that is not Unicode', () => {
    for (const text of ['"\\ud800"', '"\\udc00\\ud800"', '"\\ud800x"', '"\ud800"']) refuses(text);
  });
  it('refuses what is not JSON', () => {
    for (const text of [
      '', ' ', '{', '[1,]', '{"a":1,}', '{a:1}', "{'a':1}", '[1 2]', '"a', '"\t"', '"\\x"', '"\\u12"', 'nul', 'truex', '[1]]', '{}{}', '\ufeff{}', '// x\n1',
      '{"a"}', '{"a":}', '[,1]', '{1:2}', '"\u0000"', '\u00a01',
    ]) refuses(text);
  });
  it('refuses what is too deep or too long', () => {
    expect(parseJson('['.repeat(16) + ']'.repeat(16))).toBeTruthy();
    refuses('['.repeat(17) + ']'.repeat(17));
    expect(() => parseJson('"åå"', { maxBytes: 5 })).toThrow();
    expect(parseJson('"åå"', { maxBytes: 6 })).toBe('åå');
  });
});

describe('canonical JSON (RFC 8785)', () => {
  it('sorts members by UTF-16 units and escapes shortest (RFC 8785 §3.2.3)', () => {
    const input = '{"\\u20ac":"Euro","\\r":"CR","\\ufb33":"Hebrew","1":"One","\\ud83d\\ude00":"Smile","\\u0080":"Control","\\u00f6":"o"}';
    expect(canonicalJson(parseJson(input))).toBe(
      '{"\\r":"CR","1":"One","\u0080":"Control","ö":"o","€":"Euro","😀":"Smile","\ufb33":"Hebrew"}',
    );
    expect(canonicalJson('\u0000\u001f"\\/\b\f\n\r\t\u007f')).toBe('"\\u0000\\u001f\\"\\\\/\\b\\f\\n\\r\\t\u007f"');
  });
});

describe('reader', () => {
  const reader = (text: string) => new Reader(parseJson(text), 'test');
  it('refuses members nobody asked for', () => {
    const in_ = reader('{"a":1,"b":2}');
    in_.integer('a', 0);
    expect(() => in_.finish()).toThrow(/b is not known/);
  });
  it('refuses missing members, wrong kinds and bounds', () => {
    expect(() => reader('{}').integer('a', 0)).toThrow();
    expect(() => reader('{"a":"1"}').integer('a', 0)).toThrow();
    expect(() => reader('{"a":5}').integer('a', 6)).toThrow();
    expect(() => reader('{"a":5}').integer('a', 0, 4)).toThrow();
    expect(() => reader('{"a":5}').text('a', 9)).toThrow();
    expect(() => reader('{"a":"åå"}').text('a', 3)).toThrow();
    expect(() => reader('{"a":null}').text('a', 3)).toThrow();
    expect(() => reader('{"a":"AAB"}').bytes('a', 2)).toThrow();
    expect(() => reader('{"a":"AAA="}').bytes('a', 2)).toThrow();
    expect(() => reader('{"toString":1}').any('valueOf')).toThrow();
    expect(() => new Reader(parseJson('[]'), 'test')).toThrow();
  });
});
