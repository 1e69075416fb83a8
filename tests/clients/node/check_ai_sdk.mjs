// Vercel's AI SDK: text, streams, tool loops and objects through its four providers.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, Output, embedMany, generateText, isStepCount, streamText, tool } from 'ai';
import { z } from 'zod';
import { NotHere, assert, question, run, said, tools } from './harness.mjs';

const Weather = z.object({ city: z.string(), degrees: z.number().int() });
const toolSet = {
  weather: tool({ description: 'How warm.', inputSchema: z.object({ city: z.string() }), execute: tools.weather }),
  now: tool({ description: 'The time.', inputSchema: z.object({}), execute: tools.now }),
};
const thinking = {
  anthropic: { thinking: { type: 'enabled', budgetTokens: 2000 } },
  google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 2000 } },
  openai: { reasoningEffort: 'low', reasoningSummary: 'auto', store: false, forceReasoning: true, include: ['reasoning.encrypted_content'] },
  yuzui: { reasoningEffort: 'low' },
};

function modelOf(place) {
  switch (place.dialect) {
    case 'messages':
      return createAnthropic({ baseURL: place.openai, apiKey: place.key })(place.model);
    case 'gemini':
      return createGoogleGenerativeAI({ baseURL: `${place.address}/v1beta`, apiKey: place.key })(place.model);
    case 'responses':
      return createOpenAI({ baseURL: place.openai, apiKey: place.key }).responses(place.model);
    default:
      return createOpenAICompatible({ name: 'yuzui', baseURL: place.openai, apiKey: place.key, includeUsage: true, supportsStructuredOutputs: true })(
        place.model,
      );
  }
}

const ask = (place, prompt, more = {}) => ({
  model: modelOf(place),
  prompt,
  maxRetries: 0,
  maxOutputTokens: 8000,
  onError: () => {},
  ...more,
});

function sameUsage(usage, script = 'plain', rounds = 1) {
  const counts = said.counts[script].slice(0, rounds);
  const sum = (name) => counts.reduce((total, one) => total + one[name], 0);
  assert.deepEqual([usage.inputTokens, usage.outputTokens], [sum('input'), sum('output')]);
}

await run({
  async plain(place) {
    const answer = await generateText(ask(place, 'script:plain'));
    assert.equal(answer.text, said.plain);
    sameUsage(answer.totalUsage ?? answer.usage);
  },

  async chat_completions_of_the_openai_provider(place) {
    if (place.dialect !== 'chat') throw new NotHere('a check of chat');
    const model = createOpenAI({ baseURL: place.openai, apiKey: place.key }).chat(place.model);
    const answer = await generateText(ask(place, question, { model, tools: toolSet, stopWhen: isStepCount(5) }));
    assert.equal(answer.text, said.done);
  },

  async stream(place) {
    const answer = streamText(ask(place, 'script:plain'));
    const pieces = [];
    for await (const piece of answer.textStream) pieces.push(piece);
    assert.equal(pieces.join(''), said.plain);
    assert.ok(pieces.length > 3);
    sameUsage(await answer.usage);
  },

  async agent(place) {
    const answer = await generateText(ask(place, question, { tools: toolSet, stopWhen: isStepCount(5) }));
    assert.equal(answer.text, said.done);
    assert.deepEqual(answer.steps.map((step) => step.toolCalls.length), [2, 1, 0]);
  },

  async agent_streamed_and_thinking(place) {
    const answer = streamText(ask(place, question, { tools: toolSet, stopWhen: isStepCount(5), providerOptions: thinking }));
    let text = '';
    for await (const part of answer.fullStream) {
      if (part.type === 'error') throw part.error;
      if (part.type === 'text-delta') text += part.text;
    }
    assert.ok(text.endsWith(said.done), text);
    const steps = await answer.steps;
    assert.equal(steps[0].reasoningText, said.thought);
    sameUsage(await answer.totalUsage ?? await answer.usage, 'weather', 3);
  },

  async structured_output(place) {
    const answer = await generateText(ask(place, 'script:schema', { output: Output.object({ schema: Weather }) }));
    assert.deepEqual(answer.output, said.value);
  },

  async structured_output_streamed(place) {
    const answer = streamText(ask(place, 'script:schema', { output: Output.object({ schema: Weather }) }));
    assert.deepEqual(await answer.output, said.value);
  },

  async a_thought_comes_back(place) {
    const first = await generateText(ask(place, 'script:think', { providerOptions: thinking }));
    assert.equal(first.reasoningText, said.deep_thought);
    const messages = [
      { role: 'user', content: 'script:think' },
      ...(first.responseMessages ?? first.response.messages),
      { role: 'user', content: 'script:again' },
    ];
    const second = await generateText({ ...ask(place, undefined, { providerOptions: thinking }), messages });
    // It gives back the text of a chat's thought, without what a vendor needs to take it.
    const isLost = place.dialect === 'chat' && !['llama', 'vllm'].includes(place.model);
    assert.equal(second.text, isLost ? 'I do not remember.' : 'I remember.');
  },

  async refusals_are_typed(place) {
    await assert.rejects(
      generateText(ask(place, 'script:status-429')),
      (error) => APICallError.isInstance(error) && error.statusCode === 429,
    );
  },

  async embeddings(place) {
    if (place.dialect !== 'chat') throw new NotHere('a check of chat');
    const model = createOpenAI({ baseURL: place.openai, apiKey: place.key }).embedding('embedder');
    const answer = await embedMany({ model, values: ['one', 'two'] });
    assert.deepEqual(answer.embeddings.map((one) => one.length), [8, 8]);
  },
});
