// One small IndexedDB store for what must be kept as an object: keys that cannot be extracted.

function open(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = indexedDB.open('tillsyn', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('keys');
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

// Runs `use` in one transaction and gives what its request found once the transaction is done.
async function transact<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((done, fail) => {
      const transaction = database.transaction('keys', mode, { durability: 'strict' });
      const request = use(transaction.objectStore('keys'));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = transaction.onerror = () => fail(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const keep = (name: string, value: unknown): Promise<unknown> => transact('readwrite', (store) => store.put(value, name));
export const find = <T>(name: string): Promise<T | undefined> => transact<T | undefined>('readonly', (store) => store.get(name));
export const forget = (name: string): Promise<unknown> => transact('readwrite', (store) => store.delete(name));

// Reads and writes what `change` makes of it in one transaction, so that what is forgotten meanwhile does not come back.
export function revise<T>(name: string, change: (found: T) => T): Promise<unknown> {
  return transact<T | undefined>('readwrite', (store) => {
    const request: IDBRequest<T | undefined> = store.get(name);
    request.onsuccess = () => { if (request.result !== undefined) store.put(change(request.result), name); };
    return request;
  });
}

// Reads and deletes in one transaction: of two that ask, one gets it.
export function takeOnce<T>(name: string): Promise<T | undefined> {
  return transact<T | undefined>('readwrite', (store) => {
    const request = store.get(name);
    store.delete(name);
    return request;
  });
}
