import { createContext } from 'react';

/** Whether anything is drawn with a look at all. */
export const ColorContext = createContext(true);
