// The official `@google/genai`: contents, streams, chats with tools, schemas.
import { ApiError, GoogleGenAI } from '@google/genai';
import { assert, question, run, said, schemas, tools } from './harness.mjs';

const client = (place) => new GoogleGenAI({ apiKey: place.key, httpOptions: { baseUrl: place.address } });
const config = { thinkingConfig: { includeThoughts: true, thinkingBudget: 2000 } };
const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
  required: ['city', 'degrees'],
};

function sameUsage(usage, script = 'plain', round = 0) {
  const counts = said.counts[script][round];
  const output = (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0);
  assert.deepEqual([usage.promptTokenCount, usage.cachedContentTokenCount, output], [counts.input, counts.cached, counts.output]);
}

await run({
  async plain(place) {
    const answer = await client(place).models.generateContent({ model: place.model, contents: 'script:plain' });
    assert.equal(answer.text, said.plain);
    sameUsage(answer.usageMetadata);
  },

  async stream(place) {
    const pieces = [];
    let last;
    for await (const chunk of await client(place).models.generateContentStream({ model: place.model, contents: 'script:plain' })) {
      pieces.push(chunk.text ?? '');
      last = chunk;
    }
    assert.equal(pieces.join(''), said.plain);
    assert.ok(pieces.length > 3);
    assert.equal(last.candidates[0].finishReason, 'STOP');
    sameUsage(last.usageMetadata);
  },

  async agent_streamed_and_thinking(place) {
    const contents = [{ role: 'user', parts: [{ text: question }] }];
    const functionDeclarations = Object.keys(tools).map((name) => ({ name, description: name, parametersJsonSchema: schemas[name] }));
    for (let round = 0; round < 5; round += 1) {
      const parts = [];
      let last;
      for await (const chunk of await client(place).models.generateContentStream({
        model: place.model,
        contents,
        config: { ...config, tools: [{ functionDeclarations }] },
      })) {
        parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
        last = chunk;
      }
      const calls = parts.filter((part) => part.functionCall);
      if (!calls.length) {
        assert.equal(parts.filter((part) => !part.thought).map((part) => part.text ?? '').join(''), said.done);
        return sameUsage(last.usageMetadata, 'weather', 2);
      }
      const results = calls.map(({ functionCall: call }) => ({
        functionResponse: { id: call.id, name: call.name, response: { output: tools[call.name](call.args ?? {}) } },
      }));
      contents.push({ role: 'model', parts: parts.filter((part) => part.text !== '') }, { role: 'user', parts: results });
    }
    assert.fail('no end');
  },

  async structured_output(place) {
    const answer = await client(place).models.generateContent({
      model: place.model,
      contents: 'script:schema',
      config: { responseMimeType: 'application/json', responseJsonSchema: schema },
    });
    assert.deepEqual(JSON.parse(answer.text), said.value);
  },

  async a_thought_comes_back(place) {
    const chat = client(place).chats.create({ model: place.model, config });
    const first = await chat.sendMessage({ message: 'script:think' });
    const thoughts = first.candidates[0].content.parts.filter((part) => part.thought);
    assert.equal(thoughts.map((part) => part.text).join(''), said.deep_thought);
    const second = await chat.sendMessage({ message: 'script:again' });
    assert.equal(second.text, 'I remember.');
  },

  async refusals_are_typed(place) {
    const ask = client(place).models.generateContent({ model: place.model, contents: 'script:status-429' });
    await assert.rejects(ask, (error) => error instanceof ApiError && error.status === 429);
  },
});
